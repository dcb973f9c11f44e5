import assert from "node:assert/strict";
import {
  App,
  AppInst,
  Cloudlet,
  CloudletInfo,
  CloudletRefs,
  ClusterInst,
  type DeepPartial,
  ImageType,
  IpAccess,
  PlatformType,
  PowerState,
} from "../../shared/schema/mod.ts";
import { flavors } from "../../tiers/regional/controller/testing/fixture/mod.ts";
import { all, cloudlet, lines, until, World } from "../../tiers/regional/controller/testing/world.ts";
import { startManager } from "./manager.ts";

const cloudletKey = { organization: "Bayline Inc.", name: "Edge", federatedOrganization: "" };
const organization = "AtlasWorks";

async function withSite(body: (world: World) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fake-site-" });
  await using world = await World.start();
  const manager = startManager(world, folder, cloudletKey);
  try {
    for (const flavor of Object.values(flavors)) await world.api.flavors.createFlavor(flavor);
    await lines(world.api.cloudlets.createCloudlet(cloudlet({
      platformType: PlatformType.PLATFORM_TYPE_FAKE,
      envVar: { FAKE_FAIL: "create-appinst:Broken" },
    })));
    await body(world);
  } finally {
    await manager.close(false);
    await Deno.remove(folder, { recursive: true });
  }
}

function cluster(more: DeepPartial<ClusterInst> = {}): ClusterInst {
  return ClusterInst.create({
    key: { clusterKey: { name: "alpha" }, cloudletKey, organization },
    flavor: flavors.F1.key,
    numMasters: 1,
    numNodes: 2,
    ipAccess: IpAccess.IP_ACCESS_DEDICATED,
    ...more,
  });
}

function instance(name: string, clusterName: string, more: DeepPartial<AppInst> = {}): AppInst {
  return AppInst.create({
    key: {
      appKey: { organization, name, version: "1" },
      clusterInstKey: { clusterKey: { name: clusterName }, cloudletKey, organization },
    },
    ...more,
  });
}

Deno.test({
  name: "fake platform: clusters, apps and machines from the controller's API to a real resource manager and back",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withSite(async (world) => {
      const { apps, clusters, instances, cloudletInfos, cloudletRefs, cloudlets } = world.api;
      const used = async () => {
        const [info] = await all(cloudletInfos.showCloudletInfo(CloudletInfo.create()));
        return info?.resourcesSnapshot?.info.find(({ name }) => name === "RAM")?.value;
      };
      const booked = async () => (await all(cloudletRefs.showCloudletRefs(CloudletRefs.create())))[0]?.used["RAM"] ?? 0;
      const own = 1024 + 4096;

      const progress = await lines(clusters.createClusterInst(cluster()));
      assert.ok(progress.includes("Creating VM: 3 of 3"), progress.join("\n"));
      const [made] = await all(clusters.showClusterInst(ClusterInst.create()));
      assert.deepEqual([made!.nodeFlavor, made!.allocatedIp], ["x1.small", "dynamic"]);
      // the controller's books and the infrastructure agree
      assert.equal(await booked(), 4 * 4096);
      await until(async () => await used() === own + 4 * 4096, "the site has counted the cluster");
      await lines(clusters.updateClusterInst(cluster({ fields: ["14"], numNodes: 3 })));
      assert.equal(await booked(), 5 * 4096);
      await until(async () => await used() === own + 5 * 4096, "the site has counted the new node");

      const app = { defaultFlavor: flavors.F0.key, accessPorts: "tcp:8080" };
      await apps.createApp(App.create({
        ...app,
        key: { organization, name: "Web", version: "1" },
        deployment: "kubernetes",
        imagePath: "docker.io/web:1",
      }));
      await apps.createApp(App.create({
        ...app,
        accessPorts: "tcp:8081",
        key: { organization, name: "Broken", version: "1" },
        deployment: "kubernetes",
        imagePath: "docker.io/web:1",
      }));
      await lines(instances.createAppInst(instance("Web", "alpha")));
      await assert.rejects(
        lines(instances.createAppInst(instance("Broken", "alpha"))),
        /Encountered failures: .*create-appinst failed/,
      );

      await apps.createApp(App.create({
        ...app,
        key: { organization, name: "Box", version: "1" },
        deployment: "vm",
        imageType: ImageType.IMAGE_TYPE_QCOW,
        imagePath: `https://images.example.org/box.qcow2#md5:${"0".repeat(32)}`,
      }));
      await lines(instances.createAppInst(instance("Box", "")));
      // its machine of 1024 MB, and a load balancer
      assert.equal(await booked(), 5 * 4096 + 1024 + 4096);
      await until(async () => await used() === own + 5 * 4096 + 1024 + 4096, "the site has counted the machine");
      const power = (powerState: PowerState) =>
        lines(instances.updateAppInst(instance("Box", "", { fields: ["31"], powerState })));
      await power(PowerState.POWER_OFF);
      const box = async () =>
        (await all(instances.showAppInst(AppInst.create()))).find(({ key }) => key.appKey.name === "Box")!;
      assert.equal((await box()).powerState, PowerState.POWER_OFF);
      await power(PowerState.POWER_ON);
      assert.equal((await box()).powerState, PowerState.POWER_ON);

      await lines(instances.deleteAppInst(instance("Box", "")));
      await lines(instances.deleteAppInst(instance("Web", "alpha")));
      await lines(clusters.deleteClusterInst(cluster()));
      assert.equal(await booked(), 0);
      await until(async () => await used() === own, "the site has nothing but its own");
      assert.deepEqual((await all(cloudlets.showCloudlet(Cloudlet.create()))).map(({ errors }) => errors), [[]]);
    }),
});
