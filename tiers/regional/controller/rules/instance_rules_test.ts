import assert from "node:assert/strict";
import { parsePortList } from "../../../../shared/ports/mod.ts";
import {
  App,
  AppInst,
  CloudletKey,
  ClusterInst,
  CRMOverride,
  type DeepPartial,
  IpAccess,
  PlatformType as P,
  PowerState,
} from "../../../../shared/schema/mod.ts";
import { checkAppInst, checkPlatformFit, defaultAppInstKey } from "./app_inst.ts";
import { checkClusterInst, defaultClusterInst, platformOf, settleOnPlatform } from "./cluster_inst.ts";
import { isReservedClusterName, reservableName, reservableNumber } from "./cluster_names.ts";
import { conflictingPort } from "./cluster_ports.ts";
import { overrideOf } from "./crm_override.ts";
import { Issues } from "./issues.ts";

const PLATFORM = "edgecloudorg";
const KEY = CloudletKey.create({ organization: "Bayline Inc.", name: "Edge" });

function faults(check: (issues: Issues) => void): string[] {
  const issues = new Issues();
  check(issues);
  return issues.list.map(({ path }) => path);
}

function cluster(more: DeepPartial<ClusterInst> = {}): ClusterInst {
  const made = ClusterInst.create({ key: { clusterKey: { name: "alpha" }, organization: "AtlasWorks" }, ...more });
  defaultClusterInst(made);
  return made;
}

Deno.test("clusters: what is wrong whatever the site, all at once", () => {
  const check = (more: DeepPartial<ClusterInst>) =>
    faults((issues) => checkClusterInst(cluster(more), issues, PLATFORM));
  assert.deepEqual(check({}), []);
  assert.deepEqual(check({ deployment: "helm", numNodes: 3 }), []);
  assert.deepEqual(check({ deployment: "vm" }), ["deployment"]);
  assert.deepEqual(check({ deployment: "kubernetes", numMasters: 2, numNodes: 1001 }), ["num_masters", "num_nodes"]);
  assert.deepEqual(
    check({ deployment: "docker", numMasters: 1, numNodes: 1, sharedVolumeSize: 5, multiTenant: true }),
    [
      "multi_tenant",
      "num_masters",
      "num_nodes",
      "shared_volume_size",
      "multi_tenant",
    ],
  );
  assert.deepEqual(check({ reservable: true, multiTenant: true }), ["reservable", "multi_tenant", "multi_tenant"]);
  const ours = { clusterKey: { name: "pool-a" }, organization: PLATFORM };
  assert.deepEqual(check({ key: ours, reservable: true }), []);
  for (const name of ["defaultclust", "defaultmtclust", "reservable7", "autocluster", "autoclusterX"]) {
    assert.deepEqual(check({ key: { clusterKey: { name }, organization: PLATFORM } }), ["key.cluster_key.name"], name);
    assert.ok(isReservedClusterName(name));
  }
  assert.deepEqual(check({ key: { clusterKey: { name: "a".repeat(41) }, organization: PLATFORM } }), [
    "key.cluster_key.name",
  ]);
});

Deno.test("clusters: what a platform decides and refuses", () => {
  const settle = (platform: P, more: DeepPartial<ClusterInst> = {}) => {
    const made = cluster(more);
    return {
      made,
      faults: faults((issues) => settleOnPlatform(made, platformOf({ platformType: platform, key: KEY }), issues)),
    };
  };
  let { made, faults: found } = settle(P.PLATFORM_TYPE_FAKE);
  assert.deepEqual([found, made.deployment, made.numMasters, made.ipAccess], [
    [],
    "kubernetes",
    1,
    IpAccess.IP_ACCESS_SHARED,
  ]);
  ({ made, faults: found } = settle(P.PLATFORM_TYPE_FAKE, { deployment: "docker" }));
  assert.deepEqual([found, made.ipAccess], [[], IpAccess.IP_ACCESS_DEDICATED]);
  ({ made, faults: found } = settle(P.PLATFORM_TYPE_DOCKER));
  assert.deepEqual([found, made.deployment, made.numMasters, made.ipAccess], [
    [],
    "docker",
    0,
    IpAccess.IP_ACCESS_SHARED,
  ]);
  assert.deepEqual(settle(P.PLATFORM_TYPE_DOCKER, { ipAccess: IpAccess.IP_ACCESS_DEDICATED }).faults, ["ip_access"]);
  assert.deepEqual(settle(P.PLATFORM_TYPE_DOCKER, { deployment: "kubernetes" }).faults, ["deployment"]);
  assert.deepEqual(settle(P.PLATFORM_TYPE_PROCESS, { deployment: "docker" }).faults, ["deployment"]);
  assert.deepEqual(settle(P.PLATFORM_TYPE_K8S_BARE_METAL).faults, ["key.cloudlet_key"]);
  ({ made, faults: found } = settle(P.PLATFORM_TYPE_AWS_EKS, {
    ipAccess: IpAccess.IP_ACCESS_SHARED,
    deployment: "docker",
  }));
  assert.deepEqual(found, ["deployment", "ip_access"]);
  ({ made, faults: found } = settle(P.PLATFORM_TYPE_AWS_EKS));
  assert.deepEqual([found, made.ipAccess], [["num_nodes"], IpAccess.IP_ACCESS_DEDICATED]);
  const wishes = { sharedVolumeSize: 1, multiTenant: true, networks: ["net0"] };
  assert.deepEqual(settle(P.PLATFORM_TYPE_DIND, wishes).faults, ["shared_volume_size", "multi_tenant", "networks"]);
  assert.deepEqual(settle(P.PLATFORM_TYPE_OPENSTACK, wishes).faults, []);
});

function instance(more: DeepPartial<AppInst["key"]> = {}, rest: DeepPartial<AppInst> = {}): AppInst {
  const appKey = { organization: "AtlasWorks", name: "Echo", version: "1" };
  const made = AppInst.create({ key: { appKey, ...more }, ...rest });
  defaultAppInstKey(made, { platformOrg: PLATFORM, only: undefined });
  return made;
}

Deno.test("instances: keys are completed, and checked", () => {
  const named = instance().key.clusterInstKey;
  assert.deepEqual([named.clusterKey.name, named.organization], ["defaultclust", "AtlasWorks"]);
  const auto = { clusterInstKey: { clusterKey: { name: "autocluster1" } } };
  assert.equal(instance(auto).key.clusterInstKey.organization, PLATFORM);
  const check = (made: AppInst) => faults((issues) => checkAppInst(made, issues));
  assert.deepEqual(check(instance()), []);
  assert.deepEqual(check(instance(auto, { realClusterName: "reservable0" })), []);
  const alpha = { clusterInstKey: { clusterKey: { name: "alpha" } } };
  assert.deepEqual(check(instance(alpha, { realClusterName: "alpha" })), []);
  assert.deepEqual(check(instance(alpha, { realClusterName: "beta", powerState: PowerState.POWER_ON })), [
    "power_state",
    "real_cluster_name",
  ]);
});

Deno.test("instances: what runs where", () => {
  const fit = (deployment: string, platform: P, name = "", rest: DeepPartial<AppInst> = {}) =>
    faults((issues) =>
      checkPlatformFit(
        App.create({ deployment }),
        instance({ clusterInstKey: { clusterKey: { name } } }, rest),
        platformOf({ platformType: platform, key: KEY }),
        issues,
      )
    );
  const cluster = "key.cluster_inst_key.cluster_key.name";
  assert.deepEqual(fit("kubernetes", P.PLATFORM_TYPE_FAKE, "alpha"), []);
  assert.deepEqual(fit("kubernetes", P.PLATFORM_TYPE_FAKE), [cluster]);
  assert.deepEqual(fit("vm", P.PLATFORM_TYPE_FAKE), []);
  assert.deepEqual(fit("vm", P.PLATFORM_TYPE_FAKE, "autocluster"), [cluster]);
  assert.deepEqual(fit("vm", P.PLATFORM_TYPE_GCP), ["key.cluster_inst_key.cloudlet_key"]);
  assert.deepEqual(fit("kubernetes", P.PLATFORM_TYPE_K8S_BARE_METAL), []);
  assert.deepEqual(fit("process", P.PLATFORM_TYPE_PROCESS, "", { dedicatedIp: true }), ["dedicated_ip"]);
  assert.deepEqual(fit("helm", P.PLATFORM_TYPE_K8S_BARE_METAL, "", { dedicatedIp: true }), []);
});

Deno.test("names of clusters that are made count from 0", () => {
  assert.deepEqual([reservableName(0), reservableNumber("reservable12")], ["reservable0", 12]);
  assert.deepEqual([reservableNumber("reservable"), reservableNumber("reservable1a")], [undefined, undefined]);
});

Deno.test("ports of a cluster's own load balancer conflict where they overlap in one protocol", () => {
  const ports = parsePortList("tcp:80,udp:5000-5010", { deployment: "kubernetes" });
  assert.equal(conflictingPort(ports, []), undefined);
  assert.equal(conflictingPort(ports, ["udp:80", "tcp:5000-5010", "udp:5011"]), undefined);
  assert.deepEqual(conflictingPort(ports, ["tcp:70-80"]), { port: "tcp:80", with: "tcp:70-80" });
  assert.deepEqual(conflictingPort(ports, ["udp:5010"]), { port: "udp:5000-5010", with: "udp:5010" });
});

Deno.test("overrides", () => {
  const flags = (value: CRMOverride) => {
    const { ignoresErrors, ignoresSite, ignoresBusy } = overrideOf(value);
    return [ignoresErrors, ignoresSite, ignoresBusy];
  };
  assert.deepEqual(flags(CRMOverride.NO_OVERRIDE), [false, false, false]);
  assert.deepEqual(flags(CRMOverride.IGNORE_CRM_ERRORS), [true, false, false]);
  assert.deepEqual(flags(CRMOverride.IGNORE_CRM), [false, true, false]);
  assert.deepEqual(flags(CRMOverride.IGNORE_TRANSIENT_STATE), [false, false, true]);
  assert.deepEqual(flags(CRMOverride.IGNORE_CRM_AND_TRANSIENT_STATE), [false, true, true]);
});

Deno.test("instances: a site with Docker takes a compose file, and no archive of them", () => {
  const check = (deploymentManifest: string) => {
    const app = App.create({ deployment: "docker", deploymentManifest });
    const instance = AppInst.create({ key: { clusterInstKey: { clusterKey: { name: "alpha" }, cloudletKey: KEY } } });
    const platform = platformOf({ platformType: P.PLATFORM_TYPE_DOCKER, key: KEY });
    return faults((issues) => checkPlatformFit(app, instance, platform, issues));
  };
  assert.deepEqual(check(""), []);
  assert.deepEqual(check("services: {a: {image: b}}"), []);
  assert.deepEqual(check("https://files.example/a.zip"), ["key.cluster_inst_key.cloudlet_key"]);
});
