import assert from "node:assert/strict";
import { PlatformError } from "../../../shared/platform/mod.ts";
import { App, AppInst, ClusterInst, dme, Flavor } from "../../../shared/schema/mod.ts";
import { checkCertificate, parseCloudlet } from "../../../shared/access/mod.ts";
import { appInstId, appSpec, type Lookup } from "./specs.ts";

const key = {
  appKey: { organization: "ACME Inc", name: "geo", version: "1.0" },
  clusterInstKey: {
    clusterKey: { name: "one" },
    cloudletKey: { organization: "op", name: "site" },
    organization: "ACME Inc",
  },
};

const instance = AppInst.create({
  key,
  uniqueId: "acme-geo-10-site",
  flavor: { name: "small" },
  revision: "7",
  mappedPorts: [
    { proto: dme.LProto.L_PROTO_TCP, internalPort: 80, publicPort: 21000 },
    { proto: dme.LProto.L_PROTO_UDP, internalPort: 5000, endPort: 5002, publicPort: 5000 },
    { proto: dme.LProto.L_PROTO_TCP, internalPort: 90 },
  ],
});

const full: Lookup = {
  app: () =>
    App.create({ deployment: "docker", imagePath: "registry.example/geo:1", command: "serve", deploymentManifest: "" }),
  flavor: (name) => Flavor.create({ key: { name }, ram: 512, vcpus: 2, disk: 10 }),
  cluster: (cluster) => ClusterInst.create({ key: cluster, deployment: "docker", flavor: { name: "small" } }),
};

Deno.test("appSpec brings together what an instance, its app, flavor and cluster say", () => {
  const spec = appSpec(instance, full, true);
  assert.equal(spec.id, "acme-geo-10-site");
  assert.deepEqual([spec.imagePath, spec.command, spec.revision], ["registry.example/geo:1", "serve", "7"]);
  assert.deepEqual(spec.flavor, { name: "small", ramMb: 512, vcpus: 2, diskGb: 10 });
  assert.deepEqual(spec.ports, [
    { protocol: "tcp", internalPort: 80, publicPort: 21000, endPort: 0 },
    { protocol: "udp", internalPort: 5000, publicPort: 5000, endPort: 5002 },
    { protocol: "tcp", internalPort: 90, publicPort: 90, endPort: 0 },
  ]);
  assert.deepEqual([spec.cluster?.name, spec.cluster?.organization], ["one", "ACME Inc"]);
  assert.equal(appSpec(instance, full, false).cluster, undefined);
});

Deno.test("appSpec names what is missing", () => {
  const cases: [Partial<Lookup>, RegExp][] = [
    [{ app: () => undefined }, /App ACME Inc\/geo\/1\.0/],
    [{ flavor: () => undefined }, /Flavor small/],
    [{ cluster: () => undefined }, /Cluster instance one/],
  ];
  for (const [missing, message] of cases) {
    assert.throws(
      () => appSpec(instance, { ...full, ...missing }, true),
      (error: Error) => error instanceof PlatformError && message.test(error.message),
    );
  }
});

Deno.test("appInstId takes the region's name only where it is safe for every infrastructure", () => {
  assert.equal(appInstId(instance), "acme-geo-10-site");
  for (const uniqueId of ["", "Upper", "a.b", "-a", "a-", "../etc", "x".repeat(64)]) {
    assert.match(appInstId(AppInst.create({ key, uniqueId })), /^acme-inc-geo-1-0-[0-9a-f]{10}$/);
  }
});

Deno.test("parseCloudlet takes organization/name or the key as JSON, and refuses everything else", () => {
  for (const text of ["op/site", '{"organization":"op","name":"site"}']) {
    const { organization, name } = parseCloudlet(text);
    assert.deepEqual([organization, name], ["op", "site"]);
  }
  for (
    const bad of [
      "op",
      "/",
      "op/",
      "a/b/c",
      "{",
      '{"name":"site"}',
      '{"organization":"op","name":"site","color":"red"}',
    ]
  ) {
    assert.throws(() => parseCloudlet(bad), /--cloudlet/, bad);
  }
});

Deno.test("checkCertificate names both sides", () => {
  const cloudlet = parseCloudlet("op/site");
  const identity = {
    tier: "cloudlet",
    region: "eu",
    cloudlet: { organization: "op", name: "site" },
    service: "crm",
  } as const;
  const crm = { service: "crm", key: cloudlet, region: "eu" };
  checkCertificate(identity, crm, "/tls");
  assert.throws(
    () => checkCertificate(identity, { ...crm, region: "us" }, "/tls"),
    /\/tls is for region\/eu.*region "us"/,
  );
  assert.throws(() => checkCertificate({ ...identity, service: "shepherd" }, crm, "/tls"), /shepherd/);
});
