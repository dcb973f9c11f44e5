import assert from "node:assert/strict";
import { AppInst, ClusterInst, ImageType, TrackedState } from "../../../../shared/schema/mod.ts";
import { putCloudlet } from "./fake_cloudlet.ts";
import type { ApiCase } from "./support.ts";
import { all, app, flavor, lines, until, World } from "./world.ts";

const S = TrackedState;
const FAKE = { organization: "Bayline Inc.", name: "Fake" };
const WISH = AppInst.create({
  key: {
    appKey: { organization: "AtlasWorks", name: "Echo", version: "1.0" },
    clusterInstKey: { clusterKey: { name: "autocluster" }, cloudletKey: FAKE },
  },
});

async function shown(world: World): Promise<AppInst | undefined> {
  return (await all(world.api.instances.showAppInst(AppInst.create())))[0];
}

/** A controller that ends while the cluster of an instance is being made. */
async function leaveWaiting(store: Parameters<ApiCase["run"]>[0]): Promise<void> {
  await using world = await World.start({ store });
  await world.api.flavors.createFlavor(flavor());
  await putCloudlet(world, { key: FAKE });
  await world.api.apps.createApp(app({
    deployment: "helm",
    imageType: ImageType.IMAGE_TYPE_HELM,
    imagePath: "https://charts.example/stable:stable/echo",
  }));
  const site = world.site(FAKE.name).start().ready();
  site.behaviour = { createCluster: () => "working" };
  const creating = lines(world.api.instances.createAppInst(WISH));
  creating.catch(() => {});
  await until(
    async () => (await shown(world))?.state === S.CREATING_DEPENDENCIES,
    "the instance waits for its cluster",
  );
}

/** What becomes of instances whose controller ends in the middle. */
export const resumeCases: ApiCase[] = [
  {
    name: "an instance that waits for its cluster is made by the controller that comes next",
    async run(store) {
      await leaveWaiting(store);
      await using world = await World.start({ store });
      const site = world.site(FAKE.name).start().ready();
      const waiting = await shown(world);
      assert.equal(waiting?.state, S.CREATING_DEPENDENCIES);
      const [cluster] = await all(world.api.clusters.showClusterInst(ClusterInst.create()));
      site.reportCluster(cluster!.key, S.READY);
      const made = await until(async () => {
        const found = await shown(world);
        return found?.state === S.READY && found;
      }, "the instance is made");
      assert.deepEqual([made.realClusterName, made.mappedPorts.length], ["reservable0", 1]);
      await until(async () => {
        try {
          return await lines(world.api.instances.deleteAppInst(WISH));
        } catch (error) {
          assert.match((error as Error).message, /already in progress/);
          return undefined;
        }
      }, "the creation has ended");
    },
  },
  {
    name: "an instance whose cluster fails after its controller ended goes, with all that was taken for it",
    async run(store) {
      await leaveWaiting(store);
      await using world = await World.start({ store });
      const site = world.site(FAKE.name).start().ready();
      const [cluster] = await all(world.api.clusters.showClusterInst(ClusterInst.create()));
      site.reportCluster(cluster!.key, S.CREATE_ERROR, ["no room"]);
      await until(async () => await shown(world) === undefined, "the instance is gone");
      await until(
        async () => (await all(world.api.clusters.showClusterInst(ClusterInst.create()))).length === 0,
        "so is its cluster",
      );
    },
  },
];
