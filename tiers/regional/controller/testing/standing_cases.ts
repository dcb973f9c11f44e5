import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  AppInst,
  AutoScalePolicy,
  ClusterInst,
  IdleReservableClusterInsts,
  ImageType,
  IpAccess,
  PlatformType,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { putCloudlet } from "./fake_cloudlet.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, app, flavor, lines, PLATFORM_ORG, until, World } from "./world.ts";

const S = TrackedState;
const FAKE = { organization: "Bayline Inc.", name: "Fake" };

function instance(cluster: string, more: { name?: string; clusterOrg?: string } = {}): AppInst {
  return AppInst.create({
    key: {
      appKey: { organization: "AtlasWorks", name: more.name ?? "Echo", version: "1.0" },
      clusterInstKey: { clusterKey: { name: cluster }, cloudletKey: FAKE, organization: more.clusterOrg ?? "" },
    },
  });
}

async function clusterNamed(world: World, name: string): Promise<ClusterInst | undefined> {
  const key = { clusterKey: { name } };
  return (await all(world.api.clusters.showClusterInst(ClusterInst.create({ key }))))[0];
}

/** A helm app, or one of kubernetes that may run in a shared cluster. */
async function clusterApp(world: World, name: string, vcpus?: string): Promise<void> {
  await world.api.apps.createApp(app({
    key: { organization: "AtlasWorks", name, version: "1.0" },
    ...(vcpus === undefined
      ? {
        deployment: "helm",
        imageType: ImageType.IMAGE_TYPE_HELM,
        imagePath: "https://charts.example/stable:stable/echo",
      }
      : { deployment: "kubernetes", imageType: ImageType.IMAGE_TYPE_DOCKER, imagePath: "registry.example/echo:1" }),
    ...(vcpus !== undefined && { allowServerless: true, serverlessConfig: { vcpus, ram: 20, minReplicas: 1 } }),
  }));
}

/** Clusters that come and go by themselves. */
export const standingCases: ApiCase[] = [
  {
    name: "a cloudlet that wants it has a cluster for apps of all developers, with room for as many as fit",
    async run(store) {
      await using world = await World.start({ store });
      await world.api.flavors.createFlavor(flavor());
      await world.api.flavors.createFlavor({ ...flavor("big"), vcpus: 2, ram: 4096 });
      const site = world.site(FAKE.name).start();
      await putCloudlet(world, { key: FAKE, enableDefaultServerlessCluster: true });
      site.ready();
      const made = await until(async () => {
        const found = await clusterNamed(world, "defaultmtclust");
        return found?.state === S.READY && found;
      }, "the shared cluster is made");
      assert.deepEqual([made.flavor.name, made.numNodes, made.multiTenant, made.autoScalePolicy], [
        "big",
        3,
        true,
        "defaultmtclust",
      ]);
      const [policy] = await all(world.api.autoScale.showAutoScalePolicy(AutoScalePolicy.create()));
      assert.deepEqual([policy!.key.organization, policy!.targetCpu, policy!.maxNodes], [PLATFORM_ORG, 70, 4]);

      for (const name of ["A", "B"]) await clusterApp(world, name, "3.5");
      await lines(world.api.instances.createAppInst(instance("autocluster", { name: "A" })));
      await refused(
        lines(world.api.instances.createAppInst(instance("defaultmtclust", { name: "B", clusterOrg: PLATFORM_ORG }))),
        Status.FAILED_PRECONDITION,
        /is shared: name it autocluster/,
      );
      await lines(world.api.instances.createAppInst(instance("autocluster", { name: "B" })));
      const where = await all(world.api.instances.showAppInst(AppInst.create()));
      assert.deepEqual(where.map(({ realClusterName }) => realClusterName), ["defaultmtclust", "reservable0"]);
    },
  },
  {
    name: "a site that is one cluster has it without anybody making it, and instances call it as they like",
    async run(store) {
      await using world = await World.start({ store });
      await world.api.flavors.createFlavor(flavor());
      await putCloudlet(world, {
        key: FAKE,
        platformType: PlatformType.PLATFORM_TYPE_FAKE_SINGLE_CLUSTER,
        singleKubernetesClusterOwner: "AtlasWorks",
      });
      world.site(FAKE.name).start().ready();
      const only = await until(() => clusterNamed(world, "defaultclust"), "the only cluster is known");
      assert.deepEqual([only.state, only.key.organization, only.ipAccess], [
        S.READY,
        "AtlasWorks",
        IpAccess.IP_ACCESS_SHARED,
      ]);
      await clusterApp(world, "Echo");
      await lines(world.api.instances.createAppInst(instance("whatever")));
      await lines(world.api.instances.createAppInst(instance("autocluster7")));
      const made = await all(world.api.instances.showAppInst(AppInst.create()));
      assert.deepEqual(made.map(({ realClusterName, key }) => [realClusterName, key.clusterInstKey.organization]), [
        ["defaultclust", "AtlasWorks"],
        ["defaultclust", "AtlasWorks"],
      ]);
      await refused(
        lines(world.api.instances.createAppInst(instance("x", { clusterOrg: "Briolette" }))),
        Status.INVALID_ARGUMENT,
        /must be AtlasWorks, to which the cloudlet's only cluster belongs/,
      );
      await refused(
        lines(world.api.clusters.createClusterInst(ClusterInst.create({
          key: { clusterKey: { name: "more" }, cloudletKey: FAKE, organization: "AtlasWorks" },
          flavor: { name: "small" },
        }))),
        Status.INVALID_ARGUMENT,
        /is one cluster as a whole/,
      );
    },
  },
  {
    name: "clusters that were made for instances go when they have been idle, and only those",
    async run(store) {
      await using world = await World.start({ store });
      await world.api.flavors.createFlavor(flavor());
      await putCloudlet(world, { key: FAKE });
      world.site(FAKE.name).start().ready();
      for (const name of ["A", "B"]) await clusterApp(world, name);
      for (const name of ["A", "B"]) await lines(world.api.instances.createAppInst(instance("autocluster", { name })));
      await lines(world.api.instances.deleteAppInst(instance("autocluster", { name: "A" })));
      const idle = (ms: number) =>
        world.api.clusters.deleteIdleReservableClusterInsts(IdleReservableClusterInsts.create({ idleTime: ms * 1e6 }));
      assert.equal((await idle(3_600_000)).message, "Deleted 0 idle clusters");
      await new Promise((resolve) => setTimeout(resolve, 2));
      assert.equal((await idle(1)).message, "Deleted 1 idle clusters");
      assert.deepEqual([
        await clusterNamed(world, "reservable0"),
        (await clusterNamed(world, "reservable1"))?.reservedBy,
      ], [
        undefined,
        "AtlasWorks",
      ]);
    },
  },
];
