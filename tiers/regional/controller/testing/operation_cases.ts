import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import {
  AppInst,
  CloudletInfo,
  Controller,
  CRMOverride,
  dme,
  type Result,
  StatusInfo,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import type { Store } from "../../../../shared/store/mod.ts";
import { PROGRESS_KEPT_MS } from "../limits.ts";
import { sweepProgress } from "../operations/sweep.ts";
import { cutStore } from "./cut_store.ts";
import { FakeSite } from "./fake_site.ts";
import { type ApiCase, refused } from "./support.ts";
import { all, cloudlet, furnish, instance, lines, until, World, type WorldOptions } from "./world.ts";

const S = TrackedState;
const CREATED = [
  "Creating app instance at shared.edge-baylineinc.eu.archipelago.localhost",
  "Fetching image",
  "Starting",
  "Created app instance",
];

function second(store: Store, options: WorldOptions = {}): Promise<World> {
  return World.start({ store, ...options, parts: { id: "two", ...options.parts } });
}

async function states(world: World): Promise<TrackedState[]> {
  return (await all(world.api.instances.showAppInst(AppInst.create()))).map(({ state }) => state);
}

/** Creates the instance, and resolves when the site has it and is to say more. */
async function begin(world: World, site: FakeSite): Promise<{ key: string; outcome: Promise<string[]> }> {
  const outcome = lines(world.api.instances.createAppInst(instance()));
  outcome.catch(() => {});
  const key = await until(() => site.instances[0], "the site has the instance");
  return { key, outcome };
}

/** Calls in the middle of which a controller dies, each on what the one before has left, done or undone. */
/** Whether lines of an operation with `text` in them are in the store, where other controllers read them. */
async function isStored(store: Store, text: string): Promise<boolean> {
  const { entries } = await store.scan("/v1/Progress/");
  return entries.some(({ value }) => new TextDecoder().decode(value).includes(text));
}

const CALLS: readonly ((world: World) => AsyncIterable<Result>)[] = [
  ({ api }) => api.cloudlets.createCloudlet(cloudlet()),
  ({ api }) => api.instances.createAppInst(instance()),
  ({ api }) => api.cloudlets.updateCloudlet(cloudlet({ fields: ["19"], envVar: { PUBLIC_PORT_RANGE: "22000-22009" } })),
  ({ api }) =>
    api.cloudlets.updateCloudlet(
      cloudlet({ fields: ["30"], maintenanceState: dme.MaintenanceState.MAINTENANCE_START_NO_FAILOVER }),
    ),
  ({ api }) =>
    api.cloudlets.updateCloudlet(cloudlet({ fields: ["30"], maintenanceState: dme.MaintenanceState.NORMAL_OPERATION })),
  ({ api }) => api.instances.deleteAppInst(instance()),
  ({ api }) => api.cloudlets.deleteCloudlet(cloudlet()),
];

/** What is still on its way somewhere, or held by an operation. */
async function unsettled(store: Store): Promise<string[]> {
  const { entries } = await store.scan("/v1/");
  return entries.filter(({ key, value }) => {
    if (key.startsWith("/v1/Operation/")) return true;
    if (!/^\/v1\/(AppInst|Cloudlet)\//.test(key)) return false;
    const text = new TextDecoder().decode(value);
    return /"(state|maintenance_state)":"(\w*Requested|Creating|Updating|Deleting|DeletePrepare|NormalOperationInit)"/
      .test(
        text,
      ) || text.includes('"delete_prepare":true');
  }).map(({ key }) => key);
}

/** Rules about operations: who can follow them, and who carries them on. */
export const operationCases: ApiCase[] = [
  {
    name: "progress can be followed from its first line on, at every controller, also afterwards",
    async run(store) {
      await using one = await World.start({ store });
      await using two = await second(store);
      const site = await furnish(one);
      const { key: instanceKey } = instance();
      const follow = (world: World) => lines(world.api.streams.streamAppInst(instanceKey));
      await refused(follow(one), Status.NOT_FOUND, /AppInst key .* not found/);
      await refused(follow(two), Status.NOT_FOUND, /AppInst key .* not found/);

      site.behaviour = { create: () => "working" };
      const { key, outcome } = await begin(one, site);
      const early = follow(two);
      const [here, there] = [follow(one), follow(two)];
      await until(() => isStored(store, CREATED[0]!), "its lines are stored");
      const late = follow(two);
      site.reportInstance(key, S.READY);
      assert.deepEqual(await outcome, CREATED);
      for (const followed of [early, here, there, late]) assert.deepEqual(await followed, CREATED);
      assert.deepEqual(await follow(one), CREATED);
      assert.deepEqual(await follow(two), CREATED);

      site.behaviour = { remove: () => ({ errors: ["device busy"] }) };
      await refused(lines(one.api.instances.deleteAppInst(instance())), Status.UNKNOWN, /device busy/);
      await refused(follow(two), Status.UNKNOWN, /^Encountered failures: device busy$/);
      // A call that was refused before it began leaves the history as it is.
      await refused(lines(two.api.instances.createAppInst(instance())), Status.ALREADY_EXISTS, /already exists/);
      await refused(follow(one), Status.UNKNOWN, /device busy/);
      site.behaviour = { remove: () => "working" };
      const deleting = lines(one.api.instances.deleteAppInst(instance()));
      await until(async () => (await states(one))[0] === S.DELETING, "the site is deleting");
      const reader = two.api.streams.streamAppInst(instanceKey)[Symbol.asyncIterator]();
      site.reportInstance(key, S.DELETING, { status: { msgCount: 1, msgs: ["Stopping"] } });
      // A reader who comes when all is over finds nothing: this one is there when its first line is.
      assert.equal((await reader.next()).value?.message, "Stopping");
      site.reportInstance(key, S.DELETE_DONE);
      assert.deepEqual(await deleting, ["Stopping", "Deleted app instance"]);
      assert.equal((await reader.next()).value?.message, "Deleted app instance");
      assert.equal((await reader.next()).done, true);
      await refused(follow(two), Status.NOT_FOUND, /not found/);
      await refused(follow(one), Status.NOT_FOUND, /not found/);
      assert.ok((await lines(two.api.streams.streamCloudlet(cloudlet().key))).includes("Created cloudlet"));
      await refused(
        lines(two.api.streams.streamCloudlet({ ...cloudlet().key, name: "" })),
        Status.INVALID_ARGUMENT,
        /name is required/,
      );
    },
  },
  {
    name: "progress is forgotten after a time, that of a failure with its object",
    async run(store) {
      await using world = await World.start({ store });
      const site = await furnish(world);
      const { instances } = world.api;
      await lines(instances.createAppInst(instance()));
      site.behaviour = { remove: () => ({ errors: ["device busy"] }) };
      await refused(lines(instances.deleteAppInst(instance())), Status.UNKNOWN, /device busy/);
      const kept = async (nowMs: number) => {
        await sweepProgress(store, world.controller.region, nowMs);
        return (await store.scan("/v1/Progress/")).entries.map(({ key }) => key.split("/")[3]);
      };
      assert.deepEqual(await kept(Date.now()), ["AppInst", "Cloudlet"]);
      assert.deepEqual(await kept(Date.now() + 2 * PROGRESS_KEPT_MS), ["AppInst"]);
      site.behaviour = {};
      await lines(instances.deleteAppInst(instance()));
      assert.deepEqual(await kept(Date.now() + 2 * PROGRESS_KEPT_MS), []);
    },
  },
  {
    name: "what a site reports to one controller reaches the operation that another one runs",
    async run(store) {
      await using one = await World.start({ store });
      await using two = await second(store);
      const site = await furnish(two);
      site.behaviour = { create: () => "silent" };
      const { key, outcome } = await begin(one, site);
      const status = StatusInfo.create({ msgCount: 2, msgs: ["Fetching image", "Starting"] });
      site.reportInstance(key, S.CREATING, { status });
      await until(async () => (await states(one))[0] === S.CREATING, "the site is at work");
      await until(() => isStored(store, "Starting"), "the site's lines are taken");
      site.reportInstance(key, S.READY);
      assert.deepEqual(await outcome, CREATED);
      assert.deepEqual((await store.scan("/v1/SiteProgress/")).entries, []);
    },
  },
  {
    name: "a site whose controller dies goes to another one, which any caller can ask",
    async run(store) {
      const cuts = { one: cutStore(store), two: cutStore(store) };
      const one = await World.start({ store: cuts.one.store });
      const two = await second(cuts.two.store);
      const site = new FakeSite([one.notifyAddress, two.notifyAddress], "eu", cloudlet().key);
      try {
        await furnish(one, { site });
        await lines(two.api.instances.createAppInst(instance()));
        assert.deepEqual(
          (await all(two.api.controllers.showController(Controller.create()))).map(({ key }) => key.addr),
          ["one", "two"],
        );
        const holder = async (world: World) => {
          const [info] = await all(world.api.cloudletInfos.showCloudletInfo(CloudletInfo.create()));
          return [info!.controller, info!.state];
        };
        const { CLOUDLET_STATE_READY } = dme.CloudletState;
        // Sites begin with any of the controllers, so that they spread over them.
        const first = (await holder(one))[0] === "one" ? "one" : "two";
        const [dying, left] = first === "one" ? [one, two] : [two, one];
        await cuts[first].kill();
        await dying[Symbol.asyncDispose]();
        await until(async () => (await holder(left))[0] !== first, "the site is with the other controller");
        assert.equal((await holder(left))[1], CLOUDLET_STATE_READY);
        assert.deepEqual(await lines(left.api.instances.deleteAppInst(instance())), ["Deleted app instance"]);
        await left[Symbol.asyncDispose]();
      } finally {
        await site.stop();
      }
    },
  },
  {
    name: "a stuck operation gives way to one with an override, wherever it runs",
    async run(store) {
      await using one = await World.start({ store });
      await using two = await second(store);
      const site = await furnish(one);
      site.behaviour = { create: () => "silent" };
      const { outcome } = await begin(one, site);
      await refused(
        lines(two.api.instances.deleteAppInst(instance())),
        Status.FAILED_PRECONDITION,
        /already in progress/,
      );
      const forced = AppInst.create({ ...instance(), crmOverride: CRMOverride.IGNORE_TRANSIENT_STATE });
      assert.deepEqual(await lines(two.api.instances.deleteAppInst(forced)), ["Deleted app instance"]);
      await refused(outcome, Status.ABORTED, /Another operation has taken the object over/);
      assert.deepEqual(await states(one), []);
      assert.deepEqual((await store.scan("/v1/Operation/")).entries, []);

      const again = await begin(one, site);
      assert.deepEqual(await lines(one.api.instances.deleteAppInst(forced)), ["Deleted app instance"]);
      await refused(again.outcome, Status.ABORTED, /taken the object over/);
    },
  },
  {
    name: "a controller killed between any two steps of anything leaves nothing stuck, half done or held",
    async run(store) {
      await using two = await second(store);
      const site = await furnish(two);
      await lines(two.api.cloudlets.deleteCloudlet(cloudlet()));
      for (const when of ["before", "after"] as const) {
        for (const call of CALLS) {
          // As many as an operation has, and some of what the site reports.
          for (let transaction = 1; transaction <= 3; transaction++) {
            const cut = cutStore(store);
            const one = await World.start({ store: cut.store });
            cut.killAt(transaction, when);
            const called = lines(call(one)).catch(() => {});
            await Promise.race([
              called,
              until(async () => !await two.controller.cache.hasController("one"), "it is dead"),
            ]);
            await cut.kill();
            await until(async () => (await unsettled(store)).length === 0, "everything is settled");
            await one[Symbol.asyncDispose]();
          }
          // Done or undone: the call itself, or its like, now works.
          await lines(call(two)).catch((error) =>
            assert.match(String(error), /already exists|not found|can only be set/)
          );
        }
      }
      await site.client.whenInStep();
      const left = (await store.scan("/v1/")).entries.map(({ key }) => key);
      for (const kind of ["AppInst/", "Cloudlet/", "AppInstId/", "CloudletDnsLabel/", "CloudletObjectDnsLabel/"]) {
        assert.deepEqual(left.filter((key) => key.startsWith(`/v1/${kind}`)), []);
      }
    },
  },
  {
    name: "operations of a controller that dies are carried on by another one, with their readers",
    async run(store) {
      const cut = cutStore(store);
      await using two = await second(store);
      const site = await furnish(two);
      const one = await World.start({ store: cut.store });
      try {
        site.behaviour = { create: () => "working" };
        const { key, outcome } = await begin(one, site);
        await until(async () => (await states(two))[0] === S.CREATING, "the site is at work");
        const followed = lines(two.api.streams.streamAppInst(instance().key));
        await until(() => isStored(store, CREATED[0]!), "its lines are stored");
        await cut.kill();
        site.reportInstance(key, S.READY);
        assert.deepEqual((await followed).at(0), CREATED[0]);
        assert.deepEqual((await followed).at(-1), CREATED.at(-1));
        assert.deepEqual(await states(two), [S.READY]);
        assert.deepEqual((await store.scan("/v1/Operation/")).entries, []);
        await assert.rejects(Promise.race([outcome, Promise.reject(new Error("dead"))]));
      } finally {
        site.behaviour = {};
        await one[Symbol.asyncDispose]();
      }
    },
  },
];
