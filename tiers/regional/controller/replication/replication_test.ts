import assert from "node:assert/strict";
import type { DnsDriver } from "../../../../shared/dns/mod.ts";
import { openDns } from "../../../../shared/dns/mod.ts";
import type { Identity } from "../../../../shared/identity/mod.ts";
import {
  AlertKind,
  App,
  AppKind,
  CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
  dme,
  kinds,
  siteView,
} from "../../../../shared/schema/mod.ts";
import { PUBLIC_ADDRESS } from "../../../../shared/platform/mod.ts";
import { FakeClock } from "../../../../shared/runtime/mod.ts";
import { openStore } from "../../../../shared/store/mod.ts";
import { memoryLogger } from "../../../../shared/telemetry/mod.ts";
import type { AnyKind } from "../faults.ts";
import { createRegion } from "../state/region.ts";
import { RegionCache } from "../state/region_cache.ts";
import { cloudlet, until } from "../testing/world.ts";
import { admit } from "./admission.ts";
import { publishedNames } from "./publisher.ts";
import { maintainDns } from "./dns_records.ts";

const SITE = { organization: "Bayline Inc.", name: "Edge" };
const SITE_KEY = CloudletKind.keyString({ ...SITE, federatedOrganization: "" });

function hello(service: string, more: { region?: string; cloudlet?: string } = {}) {
  return { version: 1, service, region: "eu", cloudlet: "", instance: "i", wants: [], owns: [], ...more };
}

Deno.test("admission gives each service what the schema says is for it", () => {
  const dme: Identity = { tier: "regional", region: "eu", service: "dme" };
  assert.deepEqual(admit(dme, hello("dme"), "eu"), {
    wants: [
      ...["Settings", "FlowRateLimitSettings", "MaxReqsRateLimitSettings", "OperatorCode", "Cloudlet", "CloudletInfo"],
      ...["AutoProvPolicy", "ClusterInst", "App", "AppInst", "AppInstClientWatch"],
    ],
    owns: [],
  });
  const up: Identity = { tier: "regional", region: "eu", service: "up" };
  assert.deepEqual(admit(up, hello("up"), "eu"), { wants: ["Cloudlet"], owns: [] });
  const crm: Identity = { tier: "cloudlet", region: "eu", cloudlet: SITE, service: "crm" };
  assert.deepEqual(admit(crm, hello("crm", { cloudlet: SITE_KEY }), "eu"), {
    scope: SITE_KEY,
    wants: [
      ...[
        "Settings",
        "Flavor",
        "AlertPolicy",
        "GPUDriver",
        "VMPool",
        "TrustPolicy",
        "Cloudlet",
        "Network",
        "AutoScalePolicy",
      ],
      ...["ClusterInst", "App", "TrustPolicyException", "AppInst"],
    ],
    owns: ["CloudletInfo", "VMPoolInfo", "ClusterInstInfo", "AppInstInfo", "Alert"],
  });
  const shepherd: Identity = { ...crm, service: "shepherd" };
  assert.deepEqual((admit(shepherd, hello("shepherd", { cloudlet: SITE_KEY }), "eu") as { owns: string[] }).owns, [
    "Alert",
  ]);
});

Deno.test("admission refuses whoever is not what it says, or has nothing to do here", () => {
  const crm: Identity = { tier: "cloudlet", region: "eu", cloudlet: SITE, service: "crm" };
  const dme: Identity = { tier: "regional", region: "eu", service: "dme" };
  const other = CloudletKind.keyString({ ...SITE, name: "Other", federatedOrganization: "" });
  const cases: [Identity, ReturnType<typeof hello>, RegExp][] = [
    [crm, hello("crm", { cloudlet: other }), /certificate is of cloudlet/],
    [crm, hello("crm"), /certificate is of cloudlet/],
    [crm, hello("shepherd", { cloudlet: SITE_KEY }), /certificate is of service crm/],
    [
      { ...crm, service: "dme" },
      hello("dme", { cloudlet: SITE_KEY }),
      /no matching engines of cloudlets .*--cloudlet-dmes/,
    ],
    [{ ...dme, service: "crm" }, hello("crm"), /certificate of its cloudlet/],
    [dme, hello("dme", { region: "us" }), /region eu, not us/],
    [{ ...dme, region: "us" }, hello("dme"), /region eu/],
    [{ ...dme, service: "toString" }, hello("toString"), /no stream here/],
    [{ tier: "global", service: "master-controller" }, hello("master-controller"), /no stream here/],
  ];
  for (const [identity, words, reason] of cases) {
    const answer = admit(identity, words, "eu");
    assert.ok("refuse" in answer, JSON.stringify(words));
    assert.match(answer.refuse!, reason);
  }
});

Deno.test("matching engines of cloudlets are let in where they are wanted, and see of objects what devices are told by", () => {
  const dme: Identity = { tier: "cloudlet", region: "eu", cloudlet: SITE, service: "dme" };
  const views = ["Settings", "FlowRateLimitSettings", "MaxReqsRateLimitSettings", "OperatorCode", "Cloudlet"];
  assert.deepEqual(admit(dme, hello("dme", { cloudlet: SITE_KEY }), "eu", true), {
    scope: SITE_KEY,
    wants: [...views, "CloudletInfo", "App", "AppInst"].map((kind) => `${kind}@site-dme`),
    owns: [],
    name: `dme ${SITE_KEY} i`,
  });
  for (
    const [identity, words, reason] of [
      [dme, hello("dme"), /certificate is of cloudlet/],
      [dme, hello("dme", { cloudlet: SITE_KEY, region: "us" }), /region eu, not us/],
      [{ ...dme, service: "auto-provisioner" }, hello("auto-provisioner", { cloudlet: SITE_KEY }), /of the region/],
    ] as const
  ) {
    assert.match(String(admit(identity, words, "eu", true).refuse), reason);
  }

  const app = App.create({
    key: { organization: "acme", name: "alpha", version: "1" },
    accessPorts: "tcp:443",
    authPublicKey: "public",
    deploymentManifest: "TOKEN=s3cret",
    configs: [{ kind: "envVarsYaml", config: "s3cret" }],
    command: "run --token s3cret",
  });
  const seen = siteView(AppKind)!(app);
  assert.deepEqual([seen.key, seen.accessPorts, seen.authPublicKey], [app.key, "tcp:443", "public"]);
  assert.ok(!new TextDecoder().decode(AppKind.message.encode(seen)).includes("s3cret"));
  assert.equal(siteView(AlertKind), undefined);
  assert.deepEqual(publishedNames([AppKind, AlertKind] as readonly AnyKind[], true), ["App", "App@site-dme", "Alert"]);
  assert.deepEqual(publishedNames([AppKind] as readonly AnyKind[], false), ["App"]);
});

Deno.test("names of load balancers follow the addresses that sites report", async () => {
  const store = await openStore("sqlite::memory:");
  const logger = memoryLogger();
  const cache = new RegionCache(store, kinds as readonly AnyKind[], logger.log);
  await cache.start();
  const region = createRegion("eu", store, cache, () => 0);
  const driver = openDns("localhost:");
  let refused = 0;
  const dns: DnsDriver = {
    ...driver,
    upsert: (record) =>
      driver.upsert(record).catch((error) => {
        refused++;
        throw error;
      }),
  };
  const zone = { region: "eu", root: "archipelago.localhost" };
  const clock = new FakeClock();
  const stop = maintainDns({ dns, cache, zone, clock, log: logger.log });
  const name = "shared.edge.eu.archipelago.localhost";
  const { CLOUDLET_STATE_INIT, CLOUDLET_STATE_READY } = dme.CloudletState;
  const report = (address?: string, state: dme.CloudletState = CLOUDLET_STATE_READY) =>
    // deno-lint-ignore require-await -- as transactions are
    region.change(async (tx) => {
      tx.put(CloudletKind, { ...cloudlet(), rootLbFqdn: name });
      const properties = address === undefined ? {} : { [PUBLIC_ADDRESS]: address };
      tx.put(CloudletInfoKind, CloudletInfo.create({ key: SITE, state, properties }));
    });
  const records = async () => (await dns.list("localhost")).map(({ type, values }) => `${type} ${values}`);
  await report("127.0.0.1");
  await until(async () => (await records()).join() === "A 127.0.0.1", "the record is there");
  await report("192.0.2.1");
  await until(() => logger.records.length > 0, "what the driver refuses is told of");
  assert.deepEqual(await records(), ["A 127.0.0.1"]);
  await until(() => clock.pending > 0, "it is to be tried again");
  const tries = refused;
  await clock.advance(30_000);
  await until(() => refused > tries, "it is tried again");
  assert.equal(logger.records.length, 1);
  await report("127.0.0.3");
  await until(async () => (await records()).join() === "A 127.0.0.3", "the record follows");
  await until(() => logger.records.length === 2, "that is said, too");
  assert.match(logger.records[1]!.message, /as it should be again/);
  await report(undefined, CLOUDLET_STATE_INIT);
  await report();
  await until(async () => (await records()).length === 0, "the record is gone");
  await report("127.0.0.2");
  await until(async () => (await records()).length === 1, "the record is back");
  // deno-lint-ignore require-await -- as transactions are
  await region.change(async (tx) => tx.remove(CloudletKind, SITE_KEY));
  await until(async () => (await records()).length === 0, "the record goes with the cloudlet");
  await stop();
  await cache.close();
  await store.close();
});
