import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import { App, AppInst, AutoProvPolicy, type DeepPartial, Liveness } from "../../../../shared/schema/mod.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, app, cloudlet, flavor, instance, lines, World } from "./world.ts";

const CLOUDLETS = ["One", "Two", "Three"];

/** Three cloudlets, and an app with a policy of all but the last. */
async function furnishPolicy(world: World, more: DeepPartial<AutoProvPolicy>): Promise<void> {
  await world.api.flavors.createFlavor(flavor());
  for (const name of CLOUDLETS) {
    world.site(name).start().ready();
    await lines(world.api.cloudlets.createCloudlet(cloudlet({ key: { organization: "Bayline Inc.", name } })));
  }
  const key = { organization: "AtlasWorks", name: "prov" };
  const cloudlets = CLOUDLETS.slice(0, 2).map((name) => ({ key: { organization: "Bayline Inc.", name } }));
  await world.api.autoProv.createAutoProvPolicy(
    AutoProvPolicy.create({ key, deployClientCount: 1, cloudlets, ...more }),
  );
  await world.api.apps.createApp(app({ autoProvPolicies: ["prov"] }));
}

function on(name: string): AppInst {
  return instance({ clusterInstKey: { cloudletKey: { organization: "Bayline Inc.", name } } });
}

function because(reason: string): { metadata: Record<string, string> } {
  return { metadata: { "caller-auto-prov": "true", "auto-prov-reason": reason, "auto-prov-policy-name": "prov" } };
}

/** What the auto-provisioner asked for is looked at again. */
export const autoProvCases: ApiCase[] = [
  {
    name: "instances on demand come as long as the policy has room, and go as long as enough are left",
    async run(store) {
      await using world = await World.start({ store });
      await furnishPolicy(world, { maxInstances: 1 });
      const { instances } = world.api;
      await lines(instances.createAppInst(on("One"), because("demand")));
      const [made] = await all(instances.showAppInst(AppInst.create()));
      assert.equal(made!.liveness, Liveness.LIVENESS_AUTOPROV);
      await refused(
        lines(instances.createAppInst(on("One"), because("demand"))),
        Status.ALREADY_EXISTS,
        /^AppInst key .* already exists$/,
      );
      await refused(
        lines(instances.createAppInst(on("Two"), because("demand"))),
        Status.FAILED_PRECONDITION,
        /Policy prov allows 1 instances, which are there/,
      );
      await lines(instances.createAppInst(on("Two")));
      await lines(instances.deleteAppInst(on("One"), because("minmax")));
      await refused(
        lines(instances.deleteAppInst(on("Two"), because("minmax"))),
        Status.FAILED_PRECONDITION,
        /no more than 1 instances/,
      );
      await lines(instances.deleteAppInst(on("Two"), because("demand")));
    },
  },
  {
    name: "the least number of instances is kept, whoever asks late is told that it is met",
    async run(store) {
      await using world = await World.start({ store });
      await furnishPolicy(world, { minActiveInstances: 1 });
      const { instances } = world.api;
      await lines(instances.createAppInst(on("One"), because("minmax")));
      await refused(
        lines(instances.createAppInst(on("Two"), because("minmax"))),
        Status.FAILED_PRECONDITION,
        /^Create to satisfy min already met, ignoring$/,
      );
      await refused(
        lines(instances.deleteAppInst(on("One"), because("demand"))),
        Status.FAILED_PRECONDITION,
        /Policy prov wants 1 instances, and no more are there/,
      );
      await refused(
        lines(instances.deleteAppInst(on("One"), because("orphaned"))),
        Status.FAILED_PRECONDITION,
        /Policy prov of the app has cloudlet .*One/,
      );
      await refused(
        lines(instances.createAppInst(on("Two"), because("whim"))),
        Status.INVALID_ARGUMENT,
        /must be one of/,
      );
      await lines(instances.createAppInst(on("Three")));
      await lines(instances.deleteAppInst(on("Three"), because("orphaned")));
    },
  },
  {
    name: "an app that is deleted takes along what policies have made of it, and nothing else",
    async run(store) {
      await using world = await World.start({ store });
      await furnishPolicy(world, {});
      const { instances } = world.api;
      await lines(instances.createAppInst(on("One"), because("demand")));
      await lines(instances.createAppInst(on("Two")));
      await refused(world.api.apps.deleteApp(app()), Status.FAILED_PRECONDITION, /App in use by AppInst .*Two/);
      assert.equal((await all(instances.showAppInst(AppInst.create()))).length, 2);
      await lines(instances.deleteAppInst(on("Two")));
      await world.api.apps.deleteApp(app());
      assert.deepEqual(await all(world.api.apps.showApp(App.create())), []);
      assert.deepEqual(await all(instances.showAppInst(AppInst.create())), []);
    },
  },
];
