import assert from "node:assert/strict";
import fc from "fast-check";
import { platformFeatures } from "../../../../shared/platform_types/mod.ts";
import {
  type AppInstRefKey,
  CloudletRefs,
  ClusterInstKey,
  ClusterInstRefKey,
  InfraResourcesSnapshot,
  IpAccess,
  IpSupport,
  PlatformType as P,
  ResourceQuota,
} from "../../../../shared/schema/mod.ts";
import { infos } from "../testing/fixture/mod.ts";
import { addToSums, clusterHolder, hold, type Holder, holderLists, letGo, takenOf } from "./cloudlet_refs.ts";
import { hasDynamicIp, shortagesOf, shortageText, type UsageBounds, usageOf, warningsOf } from "./cloudlet_usage.ts";
import type { SiteSize } from "./flavor_match.ts";
import {
  type Amounts,
  appInstNeeds,
  clusterNeeds,
  NODES_PER_CLUSTER,
  platformNeeds,
  type ResourceNeeds,
  type SiteTraits,
  type SizedCluster,
} from "./resource_needs.ts";

const { IP_ACCESS_DEDICATED: DEDICATED, IP_ACCESS_SHARED: SHARED } = IpAccess;

function size(name: string, vcpus: number, ramMb: number, diskGb: number, optRes: "gpu" | "" = ""): SiteSize {
  return { name, vcpus, ramMb, diskGb, optRes, externalVolumeGb: 0, availabilityZone: "", image: "" };
}

const SMALL = size("small", 2, 1024, 20);
const MASTER = size("lg-master", 4, 8192, 60);
const GPU = size("large", 10, 8192, 40, "gpu");
const BALANCER = size("medium", 4, 4096, 40);

function site(type: P, envVar: Record<string, string> = {}): SiteTraits {
  const ipSupport = IpSupport.IP_SUPPORT_DYNAMIC;
  return { type, features: platformFeatures(type), ipSupport, envVar, loadBalancer: BALANCER };
}

function cluster(more: Partial<SizedCluster> = {}): SizedCluster {
  return { deployment: "kubernetes", ipAccess: SHARED, numMasters: 1, numNodes: 2, ...more };
}

const needs = (of: SizedCluster, at: SiteTraits, node = SMALL) => clusterNeeds(of, { node, master: MASTER }, at);

Deno.test("a kubernetes cluster takes its masters and nodes, a dedicated one a load balancer and an address, too", () => {
  assert.deepEqual(needs(cluster(), site(P.PLATFORM_TYPE_FAKE)), {
    amounts: { RAM: 8192 + 2 * 1024, vCPUs: 4 + 2 * 2, Disk: 60 + 2 * 20 },
    flavors: { "lg-master": 1, small: 2 },
    dynamicIps: 0,
  });
  assert.deepEqual(needs(cluster({ ipAccess: DEDICATED, numNodes: 0 }), site(P.PLATFORM_TYPE_FAKE)), {
    amounts: { RAM: 8192 + 4096, vCPUs: 8, Disk: 100, "External IPs": 1 },
    flavors: { "lg-master": 1, medium: 1 },
    dynamicIps: 1,
  });
});

Deno.test("a docker cluster is one machine; accelerators are counted by machine", () => {
  const docker = cluster({ deployment: "docker", numMasters: 0, numNodes: 0 });
  assert.deepEqual(needs(docker, site(P.PLATFORM_TYPE_FAKE), GPU).amounts, {
    RAM: 8192,
    vCPUs: 10,
    Disk: 40,
    GPUs: 1,
  });
  assert.equal(needs(cluster({ numNodes: 3 }), site(P.PLATFORM_TYPE_FAKE), GPU).amounts["GPUs"], 3);
});

Deno.test("managed kubernetes takes nodes alone; what else a platform counts is counted there only", () => {
  const eks = needs(cluster({ ipAccess: DEDICATED }), site(P.PLATFORM_TYPE_AWS_EKS));
  assert.deepEqual(eks, {
    amounts: {
      "K8s Clusters": 1,
      [NODES_PER_CLUSTER]: 2,
      "Total Number Of K8s Nodes": 2,
      RAM: 2048,
      vCPUs: 4,
      Disk: 40,
    },
    flavors: { small: 2 },
    dynamicIps: 0,
  });
  const service = { deployment: "kubernetes", loadBalancerServices: 2 };
  assert.deepEqual(appInstNeeds(service, SMALL, site(P.PLATFORM_TYPE_AWS_EKS)).amounts, {
    "External IPs": 2,
    "Network Load Balancers": 2,
  });
  assert.deepEqual(appInstNeeds(service, SMALL, site(P.PLATFORM_TYPE_GCP)).amounts, { "External IPs": 2 });
  assert.deepEqual(appInstNeeds(service, SMALL, site(P.PLATFORM_TYPE_FAKE)).amounts, {});
  const dedicated = cluster({ ipAccess: DEDICATED });
  assert.equal(needs(dedicated, site(P.PLATFORM_TYPE_VCD)).amounts["Instances"], 4);
  const openstack = needs(dedicated, site(P.PLATFORM_TYPE_OPENSTACK, { MEX_NETWORK_SCHEME: "name=x,floatingip" }));
  assert.deepEqual([openstack.amounts["Instances"], openstack.amounts["Floating IPs"]], [4, 1]);
  assert.equal(needs(dedicated, site(P.PLATFORM_TYPE_OPENSTACK)).amounts["Floating IPs"], undefined);
});

Deno.test("a vm app takes its machine and a load balancer; process and docker instances what their flavor says", () => {
  const vm = appInstNeeds({ deployment: "vm", loadBalancerServices: 0 }, SMALL, site(P.PLATFORM_TYPE_FAKE));
  assert.deepEqual(vm, {
    amounts: { RAM: 5120, vCPUs: 6, Disk: 60, "External IPs": 1 },
    flavors: { small: 1, medium: 1 },
    dynamicIps: 0,
  });
  for (const type of [P.PLATFORM_TYPE_PROCESS, P.PLATFORM_TYPE_DOCKER]) {
    const instance = appInstNeeds({ deployment: "docker", loadBalancerServices: 0 }, SMALL, site(type));
    assert.deepEqual(instance.amounts, { RAM: 1024, vCPUs: 2, Disk: 20 });
    assert.deepEqual(needs(cluster({ deployment: "docker" }), site(type)).amounts, {});
  }
});

Deno.test("the platform's own machines count with their addresses; those of unknown size do not", () => {
  const machines = [
    { type: "platform", infraFlavor: "small" },
    { type: "sharedrootlb", infraFlavor: "medium" },
    { type: "helper", infraFlavor: "small" },
    { type: "platform", infraFlavor: "" },
  ];
  const sizes: Record<string, SiteSize> = { small: SMALL, medium: BALANCER };
  assert.deepEqual(platformNeeds(machines, (name) => sizes[name], { type: P.PLATFORM_TYPE_FAKE, envVar: {} }), {
    RAM: 6144,
    vCPUs: 8,
    Disk: 80,
    "External IPs": 2,
  });
});

const CLOUDLET = { organization: "op", name: "site", federatedOrganization: "" };

function holder(name: string): Holder {
  return clusterHolder(ClusterInstKey.create({ clusterKey: { name }, cloudletKey: CLOUDLET, organization: "dev" }));
}

function amounts(some: Amounts): ResourceNeeds {
  return { amounts: some, flavors: {}, dynamicIps: 0 };
}

function bounds(more: Partial<UsageBounds> = {}): UsageBounds {
  const { resourcesSnapshot: snapshot } = infos.C0;
  return { type: P.PLATFORM_TYPE_FAKE, quotas: [], defaultThreshold: 0, snapshot, platform: {}, ...more };
}

function quota(name: string, value: number, alertThreshold = 0): ResourceQuota {
  return ResourceQuota.create({ name, value, alertThreshold });
}

Deno.test("what is short is said with what is wanted, free and there: by the quota, else by the infrastructure", () => {
  const refs = CloudletRefs.create({ key: CLOUDLET });
  hold(refs, holder("one"), amounts({ RAM: 60_000, GPUs: 9 }));
  const of = (wanted: Amounts, more: Partial<UsageBounds> = {}, before: Amounts = {}) =>
    shortagesOf(usageOf(refs, bounds(more)), amounts(wanted), before);
  assert.deepEqual(of({ RAM: 40_000, vCPUs: 99, Disk: 4980, "External IPs": 8 }), []);
  assert.match(
    shortageText(of({ RAM: 50_000, vCPUs: 1000 })),
    /^Not enough resources available: RAM: 50000 MB required, 42400 MB of 102400 MB available; vCPUs: 1000 required, 109 of 109 available$/,
  );
  const quotas = [quota("RAM", 70_000), quota("GPUs", 10)];
  assert.match(shortageText(of({ RAM: 11_000, GPUs: 2 }, { quotas })), /RAM: .* 10000 MB of 70000.*GPUs: 2 .* 1 of 10/);
  assert.deepEqual(of({ RAM: 62_000 }, { quotas: [quota("RAM", 0)] }, { RAM: 60_000 }), [], "it grows by 2000 only");
});

Deno.test("the infrastructure's own count is taken with what it lacks yet, unless it counts what nobody here knows", () => {
  const refs = CloudletRefs.create({ key: CLOUDLET });
  hold(refs, holder("one"), amounts({ RAM: 50_000 }));
  const { info } = infos.C0.resourcesSnapshot!;
  const counting = (...names: string[]) => ({
    snapshot: InfraResourcesSnapshot.create({
      info: info.map((resource) => resource.name === "RAM" ? { ...resource, value: 90_000 } : resource),
      clusterInsts: names.map((name) => ClusterInstRefKey.create({ clusterKey: { name }, organization: "dev" })),
    }),
    quotas: [quota("RAM", 200_000)],
  });
  const of = (wanted: number, more: Partial<UsageBounds>) =>
    shortagesOf(usageOf(refs, bounds(more)), amounts({ RAM: wanted }));
  assert.deepEqual(of(12_400, counting("one")), []);
  assert.match(
    shortageText(of(12_401, counting("one"))),
    /^\[Infra\] Not enough resources available: RAM: 12401 MB required, 12400 MB of 102400 MB available$/,
  );
  assert.equal(of(1, counting()).length, 1, "what is on its way there counts as well");
  assert.deepEqual(of(50_000, counting("one", "stranger")), []);
});

Deno.test("warnings are about quotas above the infrastructure, use above maxima, and shares strictly above thresholds", () => {
  const refs = CloudletRefs.create({ key: CLOUDLET });
  const of = (name: string, used: number, more: Partial<UsageBounds>) => {
    const holding = CloudletRefs.create(refs);
    hold(holding, holder("one"), amounts({ [name]: used }));
    return warningsOf(usageOf(holding, bounds(more)));
  };
  const quotas = [quota("RAM", 1000, 30)];
  assert.deepEqual(of("RAM", 300, { quotas }), []);
  assert.deepEqual(of("RAM", 301, { quotas }), ["More than 30% of 1000 MB RAM is in use"]);
  assert.deepEqual(of("RAM", 1001, { quotas }), ["More RAM is in use than the 1000 MB that there are"]);
  assert.deepEqual(of("GPUs", 0, { quotas: [quota("GPUs", 21)] }), [
    "Quota of GPUs is 21, the infrastructure has 20",
  ]);
  assert.deepEqual(of("vCPUs", 87, {}), ["[Infra] More than 80% of 109 vCPUs is in use"]);
  assert.deepEqual(of("vCPUs", 88, { defaultThreshold: 95 }), []);
  assert.deepEqual(of("vCPUs", 88, {}).length, 2);
});

Deno.test("a limit on each cluster's nodes is no limit on their sum", () => {
  const refs = CloudletRefs.create({ key: CLOUDLET });
  hold(refs, holder("one"), amounts({ [NODES_PER_CLUSTER]: 4 }));
  hold(refs, holder("two"), amounts({ [NODES_PER_CLUSTER]: 3 }));
  assert.equal(takenOf(refs, NODES_PER_CLUSTER), 4);
  const usage = usageOf(refs, bounds({ type: P.PLATFORM_TYPE_AWS_EKS, quotas: [quota(NODES_PER_CLUSTER, 5)] }));
  assert.deepEqual(shortagesOf(usage, amounts({ [NODES_PER_CLUSTER]: 5 })), []);
  assert.equal(shortagesOf(usage, amounts({ [NODES_PER_CLUSTER]: 6 }), { [NODES_PER_CLUSTER]: 5 }).length, 1);
});

Deno.test("one address of the pool is left for the shared load balancer", () => {
  const refs = CloudletRefs.create({ key: CLOUDLET });
  assert.equal(hasDynamicIp(refs, 1), false);
  assert.equal(hasDynamicIp(refs, 2), true);
  hold(refs, holder("one"), { ...amounts({}), dynamicIps: 1 });
  assert.deepEqual([refs.usedDynamicIps, hasDynamicIp(refs, 2)], [1, false]);
});

Deno.test("property: the sums are those of the holders after any taking, growing and giving back", () => {
  const step = fc.record({
    holder: fc.constantFrom("a", "b", "c"),
    amounts: fc.dictionary(fc.constantFrom("RAM", "vCPUs", "GPUs"), fc.nat(100)),
    dynamicIps: fc.nat(1),
    leaves: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const refs = CloudletRefs.create({ key: CLOUDLET });
    for (const { holder: name, leaves, dynamicIps, ...taken } of steps) {
      if (leaves) letGo(refs, holder(name));
      else hold(refs, holder(name), { ...taken, flavors: { small: 1 }, dynamicIps });
    }
    const all = Object.values(refs.held);
    for (const name of ["RAM", "vCPUs", "GPUs"]) {
      assert.equal(refs.used[name] ?? 0, all.reduce((sum, held) => sum + (held.amounts[name] ?? 0), 0), name);
    }
    assert.equal(refs.usedFlavors["small"] ?? 0, all.length);
    assert.equal(refs.usedDynamicIps, all.reduce((sum, held) => sum + held.dynamicIps, 0));
    for (const key of Object.keys(refs.held)) letGo(refs, key as Holder);
    assert.deepEqual([refs.used, refs.usedFlavors, refs.usedDynamicIps], [{}, {}, 0]);
  }));
});

Deno.test("holders are listed by kind; sums alone know of nobody", () => {
  const refs = CloudletRefs.create({ key: CLOUDLET });
  hold(refs, holder("one"), amounts({ RAM: 1 }));
  addToSums(refs, amounts({ RAM: 5 }), 1);
  assert.equal(refs.used["RAM"], 6);
  addToSums(refs, amounts({ RAM: 9 }), -1);
  assert.equal(refs.used["RAM"], undefined, "never below nothing");
  assert.deepEqual(holderLists(refs).clusterInsts, [
    ClusterInstRefKey.create({ clusterKey: { name: "one" }, organization: "dev" }),
  ]);
  assert.deepEqual(holderLists(refs).vmAppInsts, [] as AppInstRefKey[]);
});
