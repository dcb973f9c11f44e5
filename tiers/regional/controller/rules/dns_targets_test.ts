import assert from "node:assert/strict";
import { AppInst, ClusterInst, type DeepPartial, dme, IpAccess } from "../../../../shared/schema/mod.ts";
import { clusterNames, instanceNames, isTarget } from "./dns_targets.ts";

const zone = { region: "eu", root: "cloud.example" };
const OWN = "web1-acme.edge-oper.eu.cloud.example";

function named(more: DeepPartial<AppInst>): unknown {
  const instance = AppInst.create({ dnsLabel: "web1-acme", uri: OWN, address: "192.0.2.7", ...more });
  return Object.fromEntries(instanceNames(instance, "edge-oper", zone));
}

Deno.test("a name can be pointed to an address or a host name, and to nothing else", () => {
  for (const good of ["192.0.2.1", "2001:db8::1", "lb-1.clouds.example"]) assert.ok(isTarget(good), good);
  for (const bad of ["", "300.1.1.1", "1.2.3", "a b", "-x", "host.", "x".repeat(64), "a..b", "EVIL\n"]) {
    assert.ok(!isTarget(bad), bad);
  }
});

Deno.test("an instance has its own name where it has an address, and no site gives it another one's", () => {
  assert.deepEqual(named({}), { [OWN]: ["192.0.2.7"] });
  assert.deepEqual(named({ address: "" }), {});
  // Reached by a load balancer that others share, or from nowhere.
  assert.deepEqual(named({ uri: "shared.edge-oper.eu.cloud.example" }), {});
  assert.deepEqual(named({ uri: "" }), {});
  // A site may tell another name, but that is not for it to point anywhere.
  assert.deepEqual(named({ uri: "web1-acme.other-oper.eu.cloud.example" }), {});
});

Deno.test("names of ports lead to the addresses of their services", () => {
  const port = (internalPort: number, fqdnPrefix: string, proto: dme.LProto = dme.LProto.L_PROTO_TCP) => ({
    internalPort,
    fqdnPrefix,
    proto,
  });
  const mappedPorts = [port(80, "web."), port(443, "web."), port(53, "dns.", dme.LProto.L_PROTO_UDP), port(22, "")];
  assert.deepEqual(
    named({ address: "", mappedPorts, internalPortToLbIp: { "tcp:80": "192.0.2.8", "udp:53": "2001:db8::1" } }),
    { [`web.${OWN}`]: ["192.0.2.8"], [`dns.${OWN}`]: ["2001:db8::1"] },
  );
  assert.deepEqual(named({ mappedPorts: [port(80, "web.")] }), { [OWN]: ["192.0.2.7"], [`web.${OWN}`]: ["192.0.2.7"] });
});

Deno.test("a cluster has a name where its load balancer is its own", () => {
  const names = (more: Partial<ClusterInst>) => {
    const cluster = ClusterInst.create({
      dnsLabel: "alpha-acme",
      fqdn: "alpha-acme.edge-oper.eu.cloud.example",
      ipAccess: IpAccess.IP_ACCESS_DEDICATED,
      address: "192.0.2.9",
    });
    return [...clusterNames({ ...cluster, ...more }, "edge-oper", zone).keys()];
  };
  assert.deepEqual(names({}), ["alpha-acme.edge-oper.eu.cloud.example"]);
  assert.deepEqual(names({ address: "" }), []);
  assert.deepEqual(names({ ipAccess: IpAccess.IP_ACCESS_SHARED }), []);
  assert.deepEqual(names({ fqdn: "elsewhere.example" }), []);
});
