import assert from "node:assert/strict";
import { type RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { AppInst, ClusterInst, CRMOverride, GPUDriver, TrackedState } from "../../../../shared/schema/mod.ts";
import { cloudletKeys, load } from "./fixture/mod.ts";
import { type ApiCase, leftovers, refused } from "./support.ts";
import { all, furnish, instance, lines, until, World } from "./world.ts";

const S = TrackedState;

/** What only force gets out of the way, and what no force can replace. */
export const forceCases: ApiCase[] = [
  {
    name: "an administrator takes an instance away from an operation that hangs, and deletes it without its site",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      site.behaviour = { create: () => "silent" };
      const creating = lines(world.api.instances.createAppInst(instance()));
      creating.catch(() => {});
      await until(() => site.instances.length === 1, "the site has been asked");
      await refused(
        lines(world.api.instances.deleteAppInst(instance())),
        Status.FAILED_PRECONDITION,
        /An action is already in progress.*busy, cannot be deleted/,
      );
      const forced = AppInst.create({ ...instance(), crmOverride: CRMOverride.IGNORE_CRM_AND_TRANSIENT_STATE });
      assert.deepEqual(await lines(world.api.instances.deleteAppInst(forced)), [
        "Deleted app instance, without its site",
      ]);
      const failure = await creating.then(() => undefined, (error) => error as RpcError);
      assert.equal(failure?.code, Status.ABORTED);
      assert.deepEqual(await all(world.api.instances.showAppInst(AppInst.create())), []);
      const held = /^\/v1\/(AppInst|Operation|CloudletPorts|CloudletObjectDnsLabel)/;
      assert.deepEqual((await leftovers(store)).filter((key) => held.test(key)), []);
    },
  },
  {
    name: "an instance that hangs is made anew by force, through its site",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      site.behaviour = { create: () => "silent" };
      const creating = lines(world.api.instances.createAppInst(instance()));
      creating.catch(() => {});
      await until(() => site.instances.length === 1, "the site has been asked");
      site.behaviour = {};
      const forced = AppInst.create({ ...instance(), crmOverride: CRMOverride.IGNORE_TRANSIENT_STATE });
      assert.equal((await lines(world.api.instances.createAppInst(forced))).at(-1), "Created app instance");
      await assert.rejects(creating);
      const [made] = await all(world.api.instances.showAppInst(AppInst.create()));
      assert.deepEqual([made!.state, made!.mappedPorts[0]!.publicPort], [S.READY, 21_000]);
    },
  },
  {
    name: "nodes with GPUs need a driver on their cloudlet",
    async run(store) {
      await using world = await World.start({ store, timeouts: { createCloudletMs: 20 } });
      await load(world, ["C0"]);
      await refused(
        lines(world.api.clusters.createClusterInst(withGpus())),
        Status.FAILED_PRECONDITION,
        /has no GPU driver, which nodes with GPUs need/,
      );
      assert.deepEqual(await all(world.api.clusters.showClusterInst(ClusterInst.create())), []);
    },
  },
  {
    name: "nodes with GPUs are of a size that has some, and marked as such",
    async run(store) {
      await using world = await World.start({ store, timeouts: { createCloudletMs: 20 } });
      const driver = { name: "nv-490", organization: "" };
      await lines(world.api.gpuDrivers.createGPUDriver(GPUDriver.create({ key: driver })));
      await load(world, ["C0"], { C0: { gpuConfig: { driver } } });
      await lines(world.api.clusters.createClusterInst(withGpus()));
      const [made] = await all(world.api.clusters.showClusterInst(ClusterInst.create()));
      assert.deepEqual([made!.optRes, made!.nodeFlavor], ["gpu", "large"]);
    },
  },
];

function withGpus(): ClusterInst {
  return ClusterInst.create({
    key: { clusterKey: { name: "gpus" }, cloudletKey: cloudletKeys.C0, organization: "AtlasWorks" },
    flavor: { name: "s1.tiny.gpu" },
    crmOverride: CRMOverride.IGNORE_CRM,
  });
}
