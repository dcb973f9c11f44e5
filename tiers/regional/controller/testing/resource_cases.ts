import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  Alert,
  AppInst,
  Cloudlet,
  CloudletInfo,
  CloudletRefs,
  CloudletResourceUsage,
  ClusterInst,
  CRMOverride,
  type DeepPartial,
  IpAccess,
} from "../../../../shared/schema/mod.ts";
import { cloudletKeys, clusters, flavors, infos, load } from "./fixture/mod.ts";
import { type ApiCase, leftovers, refused } from "./support.ts";
import { all, app, cloudlet, furnish, instance, lines, until, World } from "./world.ts";

/** Nobody waits for sites, as none connect. */
const NO_SITES = { createCloudletMs: 20 };

async function refsOf(world: World, key = cloudletKeys.C0): Promise<CloudletRefs> {
  const [refs] = await all(world.api.cloudletRefs.showCloudletRefs(CloudletRefs.create({ key })));
  return refs ?? CloudletRefs.create({ key });
}

function cluster(name: string, more: DeepPartial<ClusterInst> = {}): ClusterInst {
  return ClusterInst.create({
    key: { clusterKey: { name }, cloudletKey: cloudletKeys.C0, organization: "AtlasWorks" },
    flavor: flavors.F0.key,
    crmOverride: CRMOverride.IGNORE_CRM,
    numMasters: 1,
    ...more,
  });
}

async function warnings(world: World): Promise<string[]> {
  return (await all(world.api.alerts.showAlert(Alert.create()))).map(({ labels }) => labels["warning"] ?? "").sort();
}

/** How resources of cloudlets are taken and given back. */
export const resourceCases: ApiCase[] = [
  {
    name: "clusters of the fixture get sizes and addresses, are in the books, and leave nothing there",
    async run(store) {
      await using world = await World.start({ store, timeouts: NO_SITES });
      await load(world, ["C0", "C1", "C2", "C3"]);
      for (const one of Object.values(clusters)) await lines(world.api.clusters.createClusterInst(one));
      const used = await Promise.all(Object.values(cloudletKeys).map((key) => refsOf(world, key)));
      assert.deepEqual(used.map(({ usedDynamicIps }) => usedDynamicIps), [2, 1, 1, 0]);
      const [C0] = used;
      assert.deepEqual(C0!.clusterInsts.map(({ clusterKey }) => clusterKey.name), ["alpha", "vision.ai"]);
      // alpha: 3 of tiny2 and a balancer; vision.ai: 4 of medium and a balancer
      assert.deepEqual(C0!.usedFlavors, { tiny2: 3, medium: 6 });
      assert.deepEqual(C0!.used, {
        RAM: 3 * 1024 + 6 * 4096,
        vCPUs: 3 + 6 * 4,
        Disk: 3 * 10 + 6 * 40,
        "External IPs": 2,
      });
      const shown = await all(world.api.clusters.showClusterInst(ClusterInst.create({ key: clusters.K0.key })));
      assert.deepEqual([shown[0]!.nodeFlavor, shown[0]!.masterNodeFlavor, shown[0]!.allocatedIp], [
        "tiny2",
        "tiny2",
        "dynamic",
      ]);
      for (const one of Object.values(clusters)) await lines(world.api.clusters.deleteClusterInst(one));
      for (const key of Object.values(cloudletKeys)) {
        const { used, usedFlavors, held, usedDynamicIps } = await refsOf(world, key);
        assert.deepEqual({ used, usedFlavors, held, usedDynamicIps }, {
          used: {},
          usedFlavors: {},
          held: {},
          usedDynamicIps: 0,
        });
      }
    },
  },
  {
    name: "a cluster for which something is short is refused with all of it, and nothing of it stays",
    async run(store) {
      await using world = await World.start({ store, timeouts: NO_SITES });
      await load(world, ["C0"]);
      const before = await leftovers(store);
      const { clusters } = world.api;
      await refused(
        lines(clusters.createClusterInst(cluster("big", { flavor: flavors.F3.key, numNodes: 15 }))),
        Status.FAILED_PRECONDITION,
        /^Not enough resources available: RAM: 131072 MB required, 102400 MB of 102400 MB available; vCPUs: 160 required, 99 of 99 available$/,
      );
      assert.deepEqual(await leftovers(store), before);
      const info = CloudletInfo.create(infos.C0);
      info.resourcesSnapshot!.info.find(({ name }) => name === "RAM")!.value = 100_000;
      await world.api.cloudletInfos.injectCloudletInfo(info);
      await refused(
        lines(clusters.createClusterInst(cluster("small", { flavor: flavors.F1.key }))),
        Status.FAILED_PRECONDITION,
        /^\[Infra\] Not enough resources available: RAM: 4096 MB required, 2400 MB of 102400 MB available$/,
      );
      await refused(
        lines(clusters.createClusterInst(cluster("none", { flavor: { name: "s1.tiny.gpu" } }))),
        Status.FAILED_PRECONDITION,
        /no GPU driver/,
      );
    },
  },
  {
    name: "two controllers that race for the last of a resource: as many win as there is, and no more",
    async run(store) {
      await using world = await World.start({ store, timeouts: NO_SITES });
      await using other = await World.start({ store, timeouts: NO_SITES, parts: { id: "two" } });
      // With an address for the shared load balancer, there is one left; RAM is enough for all.
      await load(world, ["C0"], { C0: { numDynamicIps: 4 } });
      const results = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => {
        const { clusters } = (i % 2 === 0 ? world : other).api;
        return lines(clusters.createClusterInst(cluster(`c${i}`, { ipAccess: IpAccess.IP_ACCESS_DEDICATED })));
      }));
      const won = results.filter(({ status }) => status === "fulfilled").length;
      assert.equal(
        won,
        3,
        results.map((result) => result.status === "rejected" ? result.reason.message : "won").join("\n"),
      );
      for (const result of results) {
        if (result.status === "rejected") assert.match(result.reason.message, /all 4 dynamic addresses/);
      }
      assert.equal((await refsOf(world)).usedDynamicIps, 3);
      await until(
        async () => (await all(other.api.clusters.showClusterInst(ClusterInst.create()))).length === 3,
        "3 are there",
      );
    },
  },
  {
    name: "growing takes the difference, and what is refused leaves the cluster as it was",
    async run(store) {
      await using world = await World.start({ store, timeouts: NO_SITES });
      await load(world, ["C0"], { C0: { resourceQuotas: [{ name: "RAM", value: 6 * 1024 }] } });
      const { clusters } = world.api;
      await lines(clusters.createClusterInst(cluster("alpha", { numNodes: 3 })));
      const grow = (numNodes: number) =>
        lines(clusters.updateClusterInst(cluster("alpha", { fields: ["14"], numNodes })));
      await grow(5);
      assert.equal((await refsOf(world)).used["RAM"], 6 * 1024);
      await refused(grow(6), Status.FAILED_PRECONDITION, /RAM: 1024 MB required, 0 MB of 6144 MB available/);
      const [left] = await all(clusters.showClusterInst(ClusterInst.create()));
      assert.equal(left!.numNodes, 5);
      await grow(1);
      assert.equal((await refsOf(world)).used["RAM"], 2 * 1024);
    },
  },
  {
    name: "what operators should know is raised as alerts, and cleared when it holds no longer",
    async run(store) {
      await using world = await World.start({ store, timeouts: NO_SITES });
      await load(world, ["C0"]);
      const { clusters, cloudletResources, cloudletInfos } = world.api;
      // 31 of 99 vCPUs are above 20 %, and 31744 of 102400 MB just above 30 %
      await lines(clusters.createClusterInst(cluster("alpha", { numNodes: 30 })));
      const always = "[Infra] More than 10% of 20 GPUs is in use";
      const expected = [
        "More than 20% of 99 vCPUs is in use",
        "More than 30% of 102400 MB RAM is in use",
        always,
        "[Infra] More than 20% of 109 vCPUs is in use",
        "[Infra] More than 30% of 102400 MB RAM is in use",
      ];
      await until(async () => (await warnings(world)).join() === expected.join(), "all are raised");
      const usage = await cloudletResources.getCloudletResourceUsage(
        CloudletResourceUsage.create({ key: cloudletKeys.C0 }),
      );
      const vcpus = usage.info.find(({ name }) => name === "vCPUs")!;
      assert.deepEqual([vcpus.value, vcpus.quotaMaxValue, vcpus.infraMaxValue, vcpus.alertThreshold], [
        31,
        99,
        109,
        20,
      ]);
      await lines(clusters.deleteClusterInst(cluster("alpha")));
      await until(async () => (await warnings(world)).join() === always, "the others are cleared");
      const info = CloudletInfo.create(infos.C0);
      info.resourcesSnapshot!.info.find(({ name }) => name === "External IPs")!.value = 9;
      await cloudletInfos.injectCloudletInfo(info);
      await until(
        async () => (await warnings(world)).includes("[Infra] More than 80% of 10 External IPs is in use"),
        "the site's report is looked at",
      );
      const reported = await cloudletResources.getCloudletResourceUsage(
        CloudletResourceUsage.create({ key: cloudletKeys.C0, infraUsage: true }),
      );
      assert.deepEqual(reported.info.map(({ name, value }) => `${name} ${value}`), [
        "RAM 1024",
        "vCPUs 10",
        "Disk 20",
        "External IPs 9",
        "GPUs 6",
      ]);
    },
  },
  {
    name: "instances of processes take what their flavor says, as far as there is a quota, and give it back",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      const { cloudlets, instances, apps } = world.api;
      await apps.createApp(app({ key: { organization: "AtlasWorks", name: "Echo", version: "2.0" } }));
      const second = instance({ appKey: { organization: "AtlasWorks", name: "Echo", version: "2.0" } });
      await lines(instances.createAppInst(instance()));
      await lines(
        cloudlets.updateCloudlet(cloudlet({ fields: ["39"], resourceQuotas: [{ name: "RAM", value: 2047 }] })),
      );
      const [where] = await all(cloudlets.showCloudlet(Cloudlet.create()));
      assert.equal(where!.resourceQuotas[0]?.value, 2047);
      await refused(
        lines(instances.createAppInst(second)),
        Status.FAILED_PRECONDITION,
        /RAM: 1024 MB required, 1023 MB of 2047 MB available/,
      );
      await refused(
        lines(cloudlets.updateCloudlet(cloudlet({ fields: ["39"], resourceQuotas: [{ name: "RAM", value: 1023 }] }))),
        Status.INVALID_ARGUMENT,
        /resource_quotas\[0\].value.*at least what is in use \(1024\)/,
      );
      await lines(instances.deleteAppInst(instance()));
      await lines(instances.createAppInst(second));
      assert.equal((await all(instances.showAppInst(AppInst.create()))).length, 1);
      assert.deepEqual((await refsOf(world, where!.key)).used, { RAM: 1024, vCPUs: 1, Disk: 1 });
    },
  },
];
