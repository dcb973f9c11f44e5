import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  App,
  AppInst,
  AutoScalePolicy,
  ClusterInst,
  type DeepPartial,
  ImageType,
  PowerState,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { putCloudlet } from "./fake_cloudlet.ts";
import type { FakeSite } from "./fake_site.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, app, flavor, lines, until, World } from "./world.ts";

const S = TrackedState;
const FAKE = { organization: "Bayline Inc.", name: "Fake" };

/** A cloudlet of type FAKE whose site answers. */
async function furnishFake(world: World): Promise<FakeSite> {
  await world.api.flavors.createFlavor(flavor());
  await putCloudlet(world, { key: FAKE });
  return world.site(FAKE.name).start().ready();
}

function kubernetes(more: DeepPartial<ClusterInst> = {}): ClusterInst {
  return ClusterInst.create({
    key: { clusterKey: { name: "alpha" }, cloudletKey: FAKE, organization: "AtlasWorks" },
    flavor: { name: "small" },
    deployment: "kubernetes",
    numNodes: 2,
    ...more,
  });
}

function made(more: DeepPartial<AppInst> = {}, cluster = "alpha"): AppInst {
  const appKey = { organization: "AtlasWorks", name: "Echo", version: "1.0" };
  const clusterInstKey = { clusterKey: { name: cluster }, cloudletKey: FAKE };
  return AppInst.create({ key: { appKey, clusterInstKey }, ...more });
}

async function helmApp(world: World): Promise<void> {
  await world.api.apps.createApp(app({
    deployment: "helm",
    imageType: ImageType.IMAGE_TYPE_HELM,
    imagePath: "https://charts.example/stable:stable/echo",
  }));
}

/** Changes of clusters and instances. */
export const updateCases: ApiCase[] = [
  {
    name: "a cluster gets more nodes through its site, within its policy, and can be tried again after a failure",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnishFake(world);
      const { clusters } = world.api;
      await lines(clusters.createClusterInst(kubernetes()));
      const update = (more: DeepPartial<ClusterInst>, fields: string[]) =>
        lines(clusters.updateClusterInst(kubernetes({ ...more, fields })));
      await refused(update({}, []), Status.INVALID_ARGUMENT, /^fields must name what to update/);
      await refused(
        update({ numMasters: 2, nodeFlavor: "x" }, ["13", "11"]),
        Status.INVALID_ARGUMENT,
        /num_masters may be set at creation only.*node_flavor is set by the platform/,
      );
      await refused(update({ numNodes: 1001 }, ["14"]), Status.INVALID_ARGUMENT, /num_nodes must be at most 1000/);
      assert.deepEqual(await update({ numNodes: 4 }, ["14"]), ["Updated cluster instance"]);
      const shown = async () => (await all(clusters.showClusterInst(ClusterInst.create())))[0]!;
      assert.deepEqual([(await shown()).numNodes, (await shown()).state], [4, S.READY]);

      const policy = { organization: "AtlasWorks", name: "scale-a" };
      await world.api.autoScale.createAutoScalePolicy(AutoScalePolicy.create({
        key: policy,
        minNodes: 1,
        maxNodes: 3,
        targetCpu: 50,
      }));
      await update({ autoScalePolicy: "scale-a" }, ["18"]);
      assert.equal((await shown()).numNodes, 3);
      await refused(update({ autoScalePolicy: "none" }, ["18"]), Status.NOT_FOUND, /AutoScalePolicy key .* not found/);

      site.behaviour = { updateCluster: () => ["no room"] };
      await refused(update({ numNodes: 2 }, ["14"]), Status.UNKNOWN, /^Encountered failures: no room/);
      assert.deepEqual([(await shown()).state, (await shown()).errors], [S.UPDATE_ERROR, ["no room"]]);
      site.behaviour = {};
      await update({ numNodes: 2 }, ["14"]);
      assert.deepEqual([(await shown()).state, (await shown()).errors], [S.READY, []]);
    },
  },
  {
    name: "a docker cluster cannot be updated",
    async run(store) {
      await using world = await World.start({ store });
      await furnishFake(world);
      await lines(world.api.clusters.createClusterInst(kubernetes({ deployment: "docker", numNodes: 0 })));
      const request = kubernetes({ numNodes: 1, fields: ["14"] });
      await refused(
        lines(world.api.clusters.updateClusterInst(request)),
        Status.INVALID_ARGUMENT,
        /a cluster without masters of its own cannot be updated/,
      );
    },
  },
  {
    name: "instances get configurations, and are refreshed when their app is another",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnishFake(world);
      const { instances } = world.api;
      await lines(world.api.clusters.createClusterInst(kubernetes()));
      await helmApp(world);
      await lines(instances.createAppInst(made()));
      const shown = async () => (await all(instances.showAppInst(AppInst.create())))[0]!;
      const configs = [{ kind: "helmCustomizationYaml", config: "replicas: 2\n" }];
      assert.deepEqual(await lines(instances.updateAppInst(made({ configs, fields: ["27"] }))), [
        "Updated app instance",
      ]);
      assert.deepEqual((await shown()).configs[0]!.kind, "helmCustomizationYaml");
      await refused(
        lines(instances.updateAppInst(made({ configs: [{ kind: "envVarsYaml", config: "a: b" }], fields: ["27"] }))),
        Status.INVALID_ARGUMENT,
        /configs/,
      );
      await refused(
        lines(instances.updateAppInst(made({ dedicatedIp: true, fields: ["39"] }))),
        Status.INVALID_ARGUMENT,
        /dedicated_ip must be false/,
      );
      await refused(
        lines(instances.updateAppInst(made({ powerState: PowerState.POWER_OFF, fields: ["31"] }))),
        Status.INVALID_ARGUMENT,
        /power_state is for vm apps only/,
      );

      assert.deepEqual(await lines(instances.refreshAppInst(made())), ["The app instance is up to date"]);
      assert.deepEqual(await lines(instances.refreshAppInst(made({ forceUpdate: true }))), ["Updated app instance"]);
      await world.api.apps.updateApp(App.create({ ...app(), revision: "two", fields: ["24"] }));
      site.behaviour = { update: () => ["chart is broken"] };
      await refused(lines(instances.refreshAppInst(made())), Status.UNKNOWN, /chart is broken/);
      assert.deepEqual([(await shown()).state, (await shown()).revision], [S.UPDATE_ERROR, "two"]);
      site.behaviour = {};
      assert.deepEqual(await lines(instances.refreshAppInst(made())), ["Updated app instance"]);
      assert.equal((await shown()).state, S.READY);
    },
  },
  {
    name: "all instances of an app are refreshed in one call, which tells of those that fail",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnishFake(world);
      await helmApp(world);
      const names = ["a", "b", "c"];
      for (const name of names) {
        const key = { clusterKey: { name }, cloudletKey: FAKE, organization: "AtlasWorks" };
        await lines(world.api.clusters.createClusterInst(kubernetes({ key })));
        await lines(world.api.instances.createAppInst(made({}, name)));
      }
      await world.api.apps.updateApp(App.create({ ...app(), revision: "two", fields: ["24"] }));
      await lines(world.api.instances.refreshAppInst(made({}, "b")));
      site.behaviour = { update: ({ realClusterName }) => realClusterName === "c" ? ["broken"] : [] };
      const appKey = made().key.appKey;
      const told = await lines(world.api.instances.refreshAppInst(
        AppInst.create({ key: { appKey }, updateMultiple: true }),
      ));
      assert.equal(told[0], "Updating 3 app instances");
      assert.match(told[1]!, /^Failed for .*"name":"c".*: Encountered failures: broken$/);
      assert.equal(told.at(-1), "3 in all: 1 updated, 1 skipped, 1 failed");
      await refused(
        lines(world.api.instances.refreshAppInst(AppInst.create({ updateMultiple: true }))),
        Status.INVALID_ARGUMENT,
        /key.app_key.organization is required/,
      );
    },
  },
  {
    name: "machines are switched off and on, by a request of its own",
    async run(store) {
      await using world = await World.start({ store });
      await furnishFake(world);
      const { instances } = world.api;
      await world.api.apps.createApp(app({
        deployment: "vm",
        imageType: ImageType.IMAGE_TYPE_QCOW,
        imagePath: `https://images.example/echo.qcow2#md5:${"0".repeat(32)}`,
      }));
      await lines(instances.createAppInst(made({}, "")));
      const shown = async () => (await all(instances.showAppInst(AppInst.create())))[0]!;
      assert.deepEqual([
        (await shown()).uri,
        (await shown()).mappedPorts[0]!.publicPort,
        (await shown()).realClusterName,
      ], [
        "echo10-atlasworks.fake-baylineinc.eu.archipelago.localhost",
        8080,
        "",
      ]);
      const power = (powerState: PowerState, fields: string[]) =>
        lines(instances.updateAppInst(made({ powerState, fields }, "")));
      await power(PowerState.POWER_OFF, ["31"]);
      await until(async () => (await shown()).powerState === PowerState.POWER_OFF, "the machine is off");
      await power(PowerState.POWER_ON, ["31"]);
      assert.equal((await shown()).powerState, PowerState.POWER_ON);
      await refused(
        power(PowerState.POWERING_ON, ["31", "27"]),
        Status.INVALID_ARGUMENT,
        /may not be updated together.*must be PowerOn, PowerOff or Reboot/,
      );
    },
  },
];
