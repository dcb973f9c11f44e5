import assert from "node:assert/strict";
import {
  AppInst,
  AutoProvPolicy,
  AutoScalePolicy,
  CloudletKind,
  CloudletRefs,
  ClusterInst,
  dme,
  IpAccess,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { admitCluster } from "../api/cluster_inst/admit.ts";
import { readSite } from "../api/resources/mod.ts";
import { AppSources, SourceHosts, SourceReader } from "../sources/mod.ts";
import { apps, cloudletKeys, clusters, developers, flavors, imagePlaces, instances, load } from "./fixture/mod.ts";
import { type ApiCase, leftovers } from "./support.ts";
import { all, lines, PLATFORM_ORG, World } from "./world.ts";

const S = TrackedState;
const { C0, C1, C2, C3 } = cloudletKeys;

/** The policies that clusters and apps of the fixture name. */
async function createPolicies(world: World): Promise<void> {
  for (const organization of [developers.atlas, developers.mint]) {
    await world.api.autoScale.createAutoScalePolicy(AutoScalePolicy.create({
      key: { organization, name: "scale-a" },
      minNodes: 1,
      maxNodes: 3,
      scaleUpCpuThresh: 80,
      scaleDownCpuThresh: 20,
      triggerTimeSec: 60,
    }));
  }
  for (const name of ["prov-a", "prov-b"]) {
    const key = { organization: developers.atlas, name };
    await world.api.autoProv.createAutoProvPolicy(AutoProvPolicy.create({ key, deployClientCount: 2 }));
  }
}

/** K0 to K9: those of developers by calls, the one that the platform has by itself as the platform makes it. */
async function createClusters(world: World): Promise<void> {
  const scaled: Partial<Record<string, string>> = { K2: "scale-a", K3: "scale-a" };
  for (const [id, one] of Object.entries(clusters)) {
    const autoScalePolicy = scaled[id] ?? "";
    await lines(world.api.clusters.createClusterInst(ClusterInst.create({ ...one, autoScalePolicy })));
  }
  const shape = {
    flavor: flavors.F0.key,
    numMasters: 1,
    ipAccess: IpAccess.IP_ACCESS_SHARED,
    deployment: "kubernetes",
  };
  const key = { clusterKey: { name: "pool-a" }, cloudletKey: C0, organization: PLATFORM_ORG };
  await lines(world.api.clusters.createClusterInst(ClusterInst.create({
    ...shape,
    key,
    numNodes: 2,
    reservable: true,
    crmOverride: clusters.K0.crmOverride,
  })));
  await world.controller.region.change(async (tx) => {
    const site = await readSite(tx, await tx.require(CloudletKind, CloudletKind.keyString(C0)));
    const shared = { ...key, clusterKey: { name: "defaultmtclust" } };
    const cluster = ClusterInst.create({ ...shape, key: shared, numNodes: 5, multiTenant: true });
    await admitCluster(tx, { region: "eu", root: "archipelago.localhost" }, cluster, site, { ready: true });
  });
}

/** The world of specification 9, whole. */
export const fixtureCases: ApiCase[] = [
  {
    name: "the fixture is created, its self-check holds, and it goes without a trace",
    async run(store) {
      const reader = new SourceReader(SourceHosts.parse("")!, fetch);
      const surroundings = { places: imagePlaces, sources: new AppSources(reader, undefined, "off") };
      await using world = await World.start({
        store,
        timeouts: { createCloudletMs: 20 },
        parts: { apps: surroundings },
      });
      await load(world, ["C0", "C1", "C2", "C3"]);
      for (const { organization, name } of [C0, C1, C2, C3]) world.site(name, organization).start();
      await createPolicies(world);
      for (const one of Object.values(apps)) await world.api.apps.createApp(one);
      await createClusters(world);
      for (const one of instances) await lines(world.api.instances.createAppInst(one));

      const made = await all(world.api.instances.showAppInst(AppInst.create()));
      assert.equal(made.length, instances.length);
      assert.ok(
        made.every(({ state, healthCheck }) => state === S.READY && healthCheck === dme.HealthCheck.HEALTH_CHECK_OK),
      );
      const refs = async (key: typeof C0) =>
        (await all(world.api.cloudletRefs.showCloudletRefs(CloudletRefs.create({ key }))))[0]!;
      const [c0, c1, c2, c3] = await Promise.all([C0, C1, C2, C3].map(refs));
      assert.deepEqual([c0, c1, c2].map((each) => each!.usedDynamicIps), [2, 1, 1]);
      assert.deepEqual(c0!.rootLbPorts, { 443: 1, 444: 1, 889: 1, 10_002: 3 });
      assert.deepEqual([c0, c1, c2, c3].map((each) => each!.reservedAutoClusterIds), [[], [0], [0, 1], [0]]);
      const of = (app: keyof typeof apps, cloudlet: typeof C0) =>
        made.filter(({ key }) =>
          key.appKey.name === apps[app].key.name && key.appKey.version === apps[app].key.version &&
          key.clusterInstKey.cloudletKey.name === cloudlet.name
        );
      const remapped = of("A1", C1)[0]!.mappedPorts.map(({ internalPort, publicPort }) => [internalPort, publicPort]);
      assert.deepEqual(remapped, [[80, 80], [443, 10_000], [81, 81]]);
      assert.deepEqual(of("A6", C2)[0]!.mappedPorts.map(({ internalPort }) => internalPort), [80, 8001, 65_535]);
      assert.deepEqual(of("A0", C0).map(({ realClusterName, uri }) => [realClusterName, uri]).sort(), [
        ["alpha", "alpha-atlasworks.sanjoseedge-baylineinc.eu.archipelago.localhost"],
        ["defaultmtclust", "shared.sanjoseedge-baylineinc.eu.archipelago.localhost"],
        ["vision.ai", "visionai-atlasworks.sanjoseedge-baylineinc.eu.archipelago.localhost"],
      ]);
      assert.equal(of("A12", C0)[0]!.uri, "vmlb102-atlasworks.sanjoseedge-baylineinc.eu.archipelago.localhost");
      assert.deepEqual(of("A13", C0).map(({ realClusterName }) => realClusterName), ["defaultmtclust"]);
      assert.deepEqual(of("A9", C1)[0]!.uri, "");

      for (const one of instances) await lines(world.api.instances.deleteAppInst(one));
      for (const one of await all(world.api.clusters.showClusterInst(ClusterInst.create()))) {
        await lines(world.api.clusters.deleteClusterInst(ClusterInst.create({ key: one.key })));
      }
      const held = /AppInst|ClusterInst|ClusterRefs|CloudletPorts|ObjectDnsLabel/;
      const left = (await leftovers(store)).filter((key) => held.test(key) && !key.startsWith("/v1/Progress"));
      assert.deepEqual(left, []);
    },
  },
];
