import assert from "node:assert/strict";
import { RequestOption } from "../../../../shared/schema/mod.ts";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  AppInst,
  CloudletPool,
  ClusterInst,
  type DeepPartial,
  dme,
  ImageType,
  PlatformType,
} from "../../../../shared/schema/mod.ts";
import { putCloudlet } from "./fake_cloudlet.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, app, flavor, lines, until, World } from "./world.ts";

const ORG = "Bayline Inc.";
const anywhere = (more: DeepPartial<AppInst> = {}) =>
  AppInst.create({ key: { appKey: { organization: "AtlasWorks", name: "Echo", version: "1.0" } }, ...more });

/** Memory and processors of a site. */
function has(ram: number, vcpus: number) {
  return {
    resourcesSnapshot: {
      info: [{ name: "RAM", infraMaxValue: ram, units: "MB" }, { name: "vCPUs", infraMaxValue: vcpus }],
    },
  };
}

async function furnish(world: World): Promise<void> {
  await world.api.flavors.createFlavor(flavor());
  await world.api.apps.createApp(app({
    deployment: "helm",
    imageType: ImageType.IMAGE_TYPE_HELM,
    imagePath: "https://charts.example/stable:stable/echo",
  }));
}

async function chosen(world: World): Promise<string[]> {
  return (await all(world.api.instances.showAppInst(AppInst.create())))
    .map(({ key }) => key.clusterInstKey.cloudletKey.name);
}

/** Cloudlets that are chosen for instances which name none. */
export const choiceCases: ApiCase[] = [
  {
    name: "without a cloudlet the one with the most room is chosen, and the caller is told why not the others",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      await putCloudlet(world, { key: { organization: ORG, name: "Roomy" } }, has(32_768, 64));
      await putCloudlet(world, { key: { organization: ORG, name: "Snug" } }, has(8192, 16));
      await putCloudlet(world, { key: { organization: ORG, name: "Tiny" } }, has(512, 64));
      await putCloudlet(world, {
        key: { organization: ORG, name: "Modules" },
        platformType: PlatformType.PLATFORM_TYPE_PROCESS,
      });
      await putCloudlet(world, {
        key: { organization: ORG, name: "Shut" },
        maintenanceState: dme.MaintenanceState.UNDER_MAINTENANCE,
      });
      await putCloudlet(world, { key: { organization: ORG, name: "Asleep" } }, {
        state: dme.CloudletState.CLOUDLET_STATE_OFFLINE,
      });
      for (const name of ["Roomy", "Snug"]) world.site(name).start();
      const told = await lines(world.api.instances.createAppInst(anywhere()));
      const about = (name: string) => told.find((line) => line.includes(`"${name}"`)) ?? "";
      assert.match(about("Tiny"), /passed over: it has not enough RAM left$/);
      assert.match(about("Modules"), /passed over: it cannot run on platform Process/);
      assert.match(about("Shut"), /passed over: it is under maintenance/);
      assert.match(about("Asleep"), /passed over: it is not ready: its state is Offline$/);
      assert.match(about("Roomy"), /chosen of 2: it has the most room$/);
      assert.equal(told.at(-1), "Created app instance");
      assert.deepEqual(await chosen(world), ["Roomy"]);
      const [made] = await all(world.api.instances.showAppInst(AppInst.create()));
      assert.equal(made!.realClusterName, "reservable0");
    },
  },
  {
    name: "a cloudlet where a cluster can be had comes first",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      await putCloudlet(world, { key: { organization: ORG, name: "Roomy" } }, has(32_768, 64));
      await putCloudlet(world, { key: { organization: ORG, name: "Snug" } }, has(16_384, 16));
      world.site("Snug").start().report(dme.CloudletState.CLOUDLET_STATE_READY, has(16_384, 16) as never);
      await lines(world.api.clusters.createClusterInst(ClusterInst.create({
        key: {
          clusterKey: { name: "pool" },
          cloudletKey: { organization: ORG, name: "Snug" },
          organization: "edgecloudorg",
        },
        flavor: { name: "small" },
        deployment: "kubernetes",
        reservable: true,
      })));
      const told = await lines(world.api.instances.createAppInst(anywhere()));
      assert.match(told[0]!, /"Snug".* chosen of 2: a cluster can be had there$/);
    },
  },
  {
    name: "cloudlets of pools are for those who were invited, and others do not even hear of them",
    async run(store) {
      await using world = await World.start({ store });
      await furnish(world);
      const secret = { organization: ORG, name: "Secret" };
      await putCloudlet(world, { key: secret });
      const pool = { organization: ORG, name: "private" };
      await world.api.pools.createCloudletPool(CloudletPool.create({ key: pool, cloudlets: [secret] }));
      const error = await refused(
        lines(world.api.instances.createAppInst(anywhere())),
        Status.FAILED_PRECONDITION,
        /^None of the 0 cloudlets that the organization may use/,
      );
      assert.ok(!error.message.includes("Secret"));
      await putCloudlet(world, { key: { organization: ORG, name: "Open" } });
      for (const name of ["Secret", "Open"]) world.site(name).start().ready();
      await until(async () => (await chosen(world)).length === 0, "nothing is there yet");
      const metadata = { [RequestOption.cloudletPools]: JSON.stringify([pool]) };
      const told = await lines(world.api.instances.createAppInst(anywhere(), { metadata }));
      assert.match(told[0]!, /"Secret".* chosen of 2: the organization was invited to it$/);
      await refused(
        lines(world.api.instances.createAppInst(anywhere(), { metadata: { [RequestOption.cloudletPools]: "{" } })),
        Status.INVALID_ARGUMENT,
        /must be a JSON list of keys/,
      );
      // A second one of the app goes where there is none yet.
      await lines(world.api.instances.createAppInst(anywhere(), { metadata }));
      assert.deepEqual(await chosen(world), ["Open", "Secret"]);
    },
  },
  {
    name: "a choice that the cloudlet's transaction refuses goes on to the next best",
    async run(store) {
      await using world = await World.start({ store });
      await world.api.flavors.createFlavor(flavor());
      await world.api.apps.createApp(app());
      const full = { PUBLIC_PORT_RANGE: "21000-21000" };
      const process = { platformType: PlatformType.PLATFORM_TYPE_PROCESS };
      await putCloudlet(world, { key: { organization: ORG, name: "A" }, ...process, envVar: full });
      await putCloudlet(world, { key: { organization: ORG, name: "B" }, ...process });
      for (const name of ["A", "B"]) world.site(name).start().ready();
      const other = { organization: "AtlasWorks", name: "Other", version: "1.0" };
      await world.api.apps.createApp(app({ key: other }));
      await lines(world.api.instances.createAppInst(AppInst.create({
        key: { appKey: other, clusterInstKey: { cloudletKey: { organization: ORG, name: "A" } } },
      })));
      const told = await lines(world.api.instances.createAppInst(anywhere()));
      assert.match(told[0]!, /"A".* chosen of 2: it is the first by name of those that are alike$/);
      assert.match(told[1]!, /"A".* passed over: Cloudlet .* has no free public port for tcp:8080$/);
      assert.match(told[2]!, /"B".* chosen of 1: it is the only one that can take the instance$/);
      assert.equal(told.at(-1), "Created app instance");
      await refused(
        lines(world.api.instances.createAppInst(AppInst.create())),
        Status.INVALID_ARGUMENT,
        /key.app_key.organization is required.*key.app_key.version is required/,
      );
      await refused(
        lines(world.api.instances.createAppInst(anywhere({ key: { appKey: { ...other, name: "None" } } }))),
        Status.NOT_FOUND,
        /App key .*None.* not found/,
      );
    },
  },
];
