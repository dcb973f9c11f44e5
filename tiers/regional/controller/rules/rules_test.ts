import assert from "node:assert/strict";
import fc from "fast-check";
import { Cloudlet, IpSupport, PlatformType } from "../../../../shared/schema/mod.ts";
import { checkCloudlet, checkNewCloudlet, defaultCloudlet } from "./cloudlet.ts";
import { appInstId, appInstLabel, cloudletLabel, objectFqdn, salted, sharedFqdn } from "./dns_labels.ts";
import { imageRule, normalizeImage } from "./docker_image.ts";
import { Issues } from "./issues.ts";
import { checkClusterName, checkName, sanitizeDns } from "./names.ts";
import { allotPorts, parsePublicPortRange } from "./public_ports.ts";
import { parsePortList } from "../../../../shared/ports/mod.ts";

function faults(check: (issues: Issues) => void): string[] {
  const issues = new Issues();
  check(issues);
  return issues.list.map(({ path }) => path);
}

Deno.test("names follow specification 0.7", () => {
  const isName = (name: string) => faults((issues) => checkName(issues, "name", name)).length === 0;
  for (const name of ["a", "Rally Go!", "Bayline Inc.", "0-_ .&,!", "x".repeat(128)]) assert.ok(isName(name), name);
  for (const name of [" a", "-a", "a/b", "a\nb", "é", "a%", "x".repeat(129)]) assert.ok(!isName(name), name);
  const isCluster = (name: string) => faults((issues) => checkClusterName(issues, "name", name)).length === 0;
  for (const name of ["alpha", "vision.ai", "x".repeat(40)]) assert.ok(isCluster(name), name);
  for (const name of ["defaultclust", "reservable7", "autocluster-x", "a b", ".a", "x".repeat(41)]) {
    assert.ok(!isCluster(name), name);
  }
});

Deno.test("DNS labels are cut, salted and put together as in specification 4.10", () => {
  assert.equal(sanitizeDns("Rally_Go! 1.0,&-"), "rally-go10");
  const cloudlet = { organization: "Bayline Inc.", name: "San Jose Edge", federatedOrganization: "" };
  assert.equal(cloudletLabel(cloudlet), "sanjoseedge-baylineinc");
  const app = { organization: "AtlasWorks", name: "Rally Go!", version: "1.0.0" };
  assert.equal(appInstLabel(app), "rallygo100-atlasworks");
  assert.equal(appInstId(app, "", cloudlet), "atlasworksrallygo100-sanjoseedge-baylineinc");
  assert.equal(appInstId(app, "alpha", cloudlet), "atlasworksrallygo100-alpha-sanjoseedge-baylineinc");
  assert.equal(salted("abc-def", 0, 5), "abc-d");
  assert.equal(salted("abc-def", 3, 5), "abc3");
  const zone = { region: "eu_west", root: "archipelago.localhost" };
  assert.equal(sharedFqdn("site-org", zone), "shared.site-org.eu-west.archipelago.localhost");
  assert.equal(objectFqdn("a", "b", zone), "a.b.eu-west.archipelago.localhost");
});

Deno.test("labels of any names are labels of DNS", () => {
  const name = fc.stringMatching(/^[0-9a-zA-Z][-_0-9a-zA-Z .&,!]{0,127}$/);
  fc.assert(fc.property(name, name, name, fc.nat(9), (organization, app, version, attempt) => {
    const label = salted(appInstLabel({ organization, name: app, version }), attempt, 63);
    assert.match(label, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  }));
});

Deno.test("public ports keep their number where they can", () => {
  const allot = (list: string, taken: Record<string, string[]>, range?: string) =>
    allotPorts(parsePortList(list), taken, range === undefined ? undefined : parsePublicPortRange(range));
  assert.deepEqual(allot("tcp:443,udp:443", {}), { publicPorts: [443, 443] });
  assert.deepEqual(allot("tcp:443,udp:443", { other: ["tcp:443"] }), { publicPorts: [10_000, 443] });
  assert.deepEqual(allot("tcp:65121", {}), { publicPorts: [10_000] });
  assert.deepEqual(allot("tcp:8080,tcp:21001", {}, "21000-21001"), { publicPorts: [21_000, 21_001] });
  assert.deepEqual(allot("tcp:21001,tcp:8080", {}, "21000-21001"), { publicPorts: [21_001, 21_000] });
  assert.ok("exhausted" in allot("tcp:1,tcp:2,tcp:3", {}, "21000-21001"));
  for (const wrong of ["", "1", "0-5", "7-5", "1-65536", "a-b", "1-2-3", "-1-2"]) {
    assert.equal(parsePublicPortRange(wrong), undefined, wrong);
  }
});

Deno.test("allotted ports are free, distinct and inside the range", () => {
  const ports = fc.uniqueArray(fc.integer({ min: 1, max: 200 }).filter((port) => ![22, 53].includes(port)), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(fc.property(ports, fc.array(fc.integer({ min: 1, max: 200 })), fc.integer({ min: 1, max: 150 }), (
    wanted,
    taken,
    first,
  ) => {
    const range = { first, last: first + 50 };
    const used = taken.map((port) => `tcp:${port}`);
    const list = parsePortList(wanted.map((port) => `tcp:${port}`).join(","));
    const result = allotPorts(list, { other: used }, range);
    if ("exhausted" in result) {
      const free = Array.from({ length: 51 }, (_, i) => first + i)
        .filter((port) => port !== 22 && !used.includes(`tcp:${port}`));
      assert.ok(free.length < wanted.length);
      return;
    }
    assert.equal(new Set(result.publicPorts).size, wanted.length);
    for (const port of result.publicPorts) {
      assert.ok(port >= range.first && port <= range.last && port !== 22 && !used.includes(`tcp:${port}`));
    }
  }));
});

Deno.test("docker images get a registry and are checked", () => {
  assert.equal(normalizeImage("nginx:1.25"), "docker.io/nginx:1.25");
  assert.equal(normalizeImage("https://ghcr.io/a/b"), "ghcr.io/a/b");
  assert.equal(normalizeImage("localhost/a"), "localhost/a");
  const digest = `sha256:${"a".repeat(64)}`;
  for (
    const image of ["docker.io/library/nginx", "h:5000/a/b_c:v1.2", `ghcr.io/a@${digest}`, `ghcr.io/a:x@${digest}`]
  ) {
    assert.equal(imageRule(image), undefined, image);
  }
  for (
    const image of ["docker.io/UPPER", "docker.io/a b", "docker.io/a:", "docker.io/", "docker.io/a@sha256:12", "a"]
  ) {
    assert.ok(imageRule(image), image);
  }
});

Deno.test("cloudlets get defaults and are checked", () => {
  const check = (change: (cloudlet: Cloudlet) => void) => {
    const cloudlet = Cloudlet.create({
      key: { organization: "Bayline Inc.", name: "San Jose Edge" },
      location: { latitude: 37.3, longitude: -121.9 },
      numDynamicIps: 10,
      platformType: PlatformType.PLATFORM_TYPE_PROCESS,
    });
    change(cloudlet);
    defaultCloudlet(cloudlet);
    assert.equal(cloudlet.physicalName, "San Jose Edge");
    return faults((issues) => {
      checkNewCloudlet(cloudlet, issues);
      checkCloudlet(cloudlet, issues);
    });
  };
  assert.deepEqual(check(() => {}), []);
  assert.deepEqual(check((c) => c.location!.latitude = 90.1), ["location.latitude"]);
  assert.deepEqual(check((c) => c.location!.longitude = NaN), ["location.longitude"]);
  assert.deepEqual(check((c) => Object.assign(c.location!, { latitude: 0, longitude: 0 })), ["location"]);
  assert.deepEqual(check((c) => c.numDynamicIps = 0), ["num_dynamic_ips"]);
  assert.deepEqual(check((c) => c.ipSupport = IpSupport.IP_SUPPORT_STATIC), ["ip_support"]);
  assert.deepEqual(check((c) => c.platformType = PlatformType.PLATFORM_TYPE_OPENSTACK), ["platform_type"]);
  assert.deepEqual(check((c) => c.envVar.PUBLIC_PORT_RANGE = "9-1"), ["env_var.PUBLIC_PORT_RANGE"]);
  assert.deepEqual(check((c) => c.allianceOrgs = ["Bayline Inc.", "Cirrona", "Cirrona"]), [
    "alliance_orgs[0]",
    "alliance_orgs[2]",
  ]);
});
