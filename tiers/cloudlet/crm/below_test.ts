// The resource manager as a parent: other services of its site hang on it.
import assert from "node:assert/strict";
import { type Identity, verifyPeer } from "../../../shared/identity/mod.ts";
import { joinNodes } from "../../../shared/nodes/mod.ts";
import { createNotifyClient, type NotifyClient, roundRobin } from "../../../shared/notify/mod.ts";
import { until } from "../../../shared/platform/testing/mod.ts";
import { Alert, AlertKind, AppInstKind, CloudletKind, NodeKey, TrackedState } from "../../../shared/schema/mod.ts";
import { createDebugCommands } from "../../../shared/service/mod.ts";
import { createMetrics, nullLogger } from "../../../shared/telemetry/mod.ts";
import { fromSource } from "./testing/from_source.ts";
import { crmIdentity, type CrmProcess, type CrmSite, withSite } from "./testing/process.ts";
import { cloudletKey, keyString } from "./testing/region.ts";

const WAIT_MS = 30_000;
const shepherd: Identity = { ...crmIdentity, service: "shepherd" };

/** Where the process serves its site, from its log. */
async function notifyAddress(crm: CrmProcess): Promise<string> {
  let address: string | undefined;
  await until("the process announces its address", () => {
    const line = crm.log.find((line) => line.includes('"message":"ready"'));
    address = line && JSON.parse(line).addresses.notify;
    return address !== undefined;
  });
  return address!;
}

async function child(
  site: CrmSite,
  address: string,
  identity: Identity,
  cloudlet = cloudletKey,
): Promise<NotifyClient> {
  const folder = await site.certificate(identity);
  const read = (name: string): string => Deno.readTextFileSync(`${folder}/${name}.pem`);
  const rule = [{
    tier: "cloudlet",
    region: "local",
    cloudlet: { organization: "op", name: "site" },
    services: ["crm"],
  }] as const;
  return createNotifyClient({
    service: identity.service,
    region: "local",
    instance: "child-1",
    cloudlet: CloudletKind.keyString(cloudlet),
    wants: [CloudletKind.kind, AppInstKind.kind],
    owns: [AlertKind.kind],
    connect: roundRobin([address], () => ({
      tls: {
        ...{ ca: read("ca"), cert: read("cert"), key: read("key") },
        verifyPeer: (chain) => void verifyPeer(chain, rule, Date.now()),
      },
    })),
    backoff: { initialMs: 20, maxMs: 100 },
  });
}

/** An alert about a site. */
function alertOf(cloudlet: string): { key: string; value: Uint8Array } {
  const labels = { alertname: "Hot", cloudlet, cloudletorg: "op" };
  const key = { labels: JSON.stringify(labels) };
  return { key: AlertKind.keyString(key), value: Alert.encode(Alert.create({ key, labels, state: "firing" })) };
}

Deno.test({
  name: "crm process: a service of the site gets what concerns it, and what it reports goes up as the site's own",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withSite(fromSource, async (site) => {
      const crm = site.start();
      await site.deploy();
      const address = await notifyAddress(crm);
      const below = await child(site, address, shepherd);
      joinNodes({
        key: NodeKey.create({ name: "child-1", type: "shepherd", region: "local", cloudletKey }),
        client: below,
        commands: createDebugCommands(nullLogger(), createMetrics()),
        describe: () => ({}),
        now: () => Date.now(),
      });
      below.start();
      await below.whenInStep(AbortSignal.timeout(WAIT_MS));
      assert.deepEqual([...below.replica(AppInstKind.kind).keys()], [keyString(1)]);

      // a change in the region arrives at the third level
      site.region.instance(1, TrackedState.DELETE_REQUESTED);
      const state = () => AppInstKind.message.decode(below.replica(AppInstKind.kind).get(keyString(1))!).state;
      await until("the change has come", () => state() === TrackedState.DELETE_REQUESTED);

      // what it owns goes up, and with its stream it goes
      const own = alertOf("site");
      below.own(AlertKind.kind).put(own.key, own.value);
      await until("the alert has come up", () => site.region.alerts.has(own.key));

      // another site's is not its to raise, and the site's own stream is not harmed
      const other = alertOf("elsewhere");
      below.own(AlertKind.kind).put(other.key, other.value);
      await until("its stream is ended", () => /does not belong to/.test(below.info().lastError ?? ""));
      assert.equal(site.region.alerts.has(other.key), false);
      below.own(AlertKind.kind).delete(other.key);
      await below.whenInStep(AbortSignal.timeout(WAIT_MS));
      assert.equal(site.region.hub.streams()[0]!.connects, 1);

      // seen from the region, it stands below the resource manager
      const root = joinNodes({
        key: NodeKey.create({ name: "root", type: "controller", region: "local" }),
        hub: site.region.hub,
        commands: createDebugCommands(nullLogger(), createMetrics()),
        describe: () => ({}),
        now: () => Date.now(),
      });
      const tree = await root.notifyTree(NodeKey.create(), WAIT_MS);
      assert.deepEqual(tree.map(({ depth, key, error }) => [depth, key.type, error]), [
        [0, "controller", ""],
        [1, "crm", ""],
        [2, "shepherd", ""],
      ]);
      await below.stop();
      await until("what it owned is gone", () => !site.region.alerts.has(own.key));
    }),
});

Deno.test({
  name: "crm process: only services of the very site are served, whatever they say of themselves",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withSite(fromSource, async (site) => {
      const crm = site.start();
      await site.deploy();
      const address = await notifyAddress(crm);
      const elsewhere = { organization: "op", name: "elsewhere" };
      const cases: [Identity, typeof cloudletKey, RegExp][] = [
        [{ ...shepherd, cloudlet: elsewhere } as Identity, cloudletKey, /elsewhere/],
        [{ ...shepherd, region: "us" } as Identity, cloudletKey, /us/],
        [{ tier: "regional", region: "local", service: "shepherd" }, cloudletKey, /cloudlet/],
        [shepherd, { ...cloudletKey, name: "elsewhere" }, /This is cloudlet/],
        [crmIdentity, cloudletKey, /have their stream at the region's controllers/],
      ];
      for (const [identity, cloudlet, why] of cases) {
        const stranger = await child(site, address, identity, cloudlet);
        stranger.start();
        await until(`${why} for ${JSON.stringify(identity)}`, () => why.test(stranger.info().lastError ?? ""));
        assert.equal(stranger.replica(AppInstKind.kind).size, 0);
        await stranger.stop();
      }
    }),
});
