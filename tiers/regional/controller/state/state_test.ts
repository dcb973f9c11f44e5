import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AppInst,
  AppInstKind,
  AppKind,
  CloudletKind,
  Controller,
  ControllerKind,
  Flavor,
  FlavorKind,
  kinds,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { openStore, type Store, transaction } from "../../../../shared/store/mod.ts";
import { memoryLogger } from "../../../../shared/telemetry/mod.ts";
import type { AnyKind } from "../faults.ts";
import { ScopeIndex } from "../replication/scopes.ts";
import { all, app, cloudlet, flavor, furnish, instance, lines, until, World } from "../testing/world.ts";
import { createRegion } from "./region.ts";
import { RegionCache } from "./region_cache.ts";
import { encodeObject, encodeRow, OPERATION_PREFIX, operationRow, VERSION_ROW } from "./rows.ts";
import { claimStore, WrongStoreError } from "./version.ts";

const allKinds = kinds as readonly AnyKind[];

async function put(store: Store, key: string, value: unknown): Promise<void> {
  await transaction(store, (tx) => tx.put(key, encodeRow(value as never)));
}

Deno.test("an empty store is marked, and one of ours is taken again", async () => {
  const store = await openStore("sqlite::memory:");
  await claimStore(store, "eu");
  await claimStore(store, "eu");
  await assert.rejects(claimStore(store, "us"), /belongs to region eu/);
  await store.close();
});

Deno.test("stores of others, of later versions and damaged ones are refused unchanged", async () => {
  const wrong: [string, unknown, RegExp][] = [
    ["something", "else", /another program/],
    [VERSION_ROW, { format: "archipelago-region", version: 99, region: "eu" }, /version 99.*newer release/],
    [VERSION_ROW, { format: "other", version: 1, region: "eu" }, /unknown format/],
    [VERSION_ROW, 7, /unknown format/],
  ];
  for (const [key, value, message] of wrong) {
    const store = await openStore("sqlite::memory:");
    await put(store, key, value);
    const { revision } = await store.get(key);
    await assert.rejects(claimStore(store, "eu"), (error) => {
      assert.ok(error instanceof WrongStoreError);
      assert.match(error.message, message);
      return true;
    });
    assert.equal((await store.get(key)).revision, revision);
    await store.close();
  }
});

Deno.test("the cache shows whole revisions, own writes at once, and survives compaction and damaged rows", async () => {
  const store = await openStore("sqlite::memory:");
  const logger = memoryLogger();
  await store.transact([], [{ type: "put", key: FlavorKind.storePrefix + "damaged", value: encodeRow({ ram: "x" }) }]);
  const cache = new RegionCache(store, allKinds, logger.log);
  await cache.start();
  assert.equal(cache.table(FlavorKind).size, 0);
  assert.ok(logger.records.length > 0, "the damaged row is told of");
  const changes: string[] = [];
  cache.subscribe(({ objects }) => {
    for (const { keyString, object, old } of objects) changes.push(`${keyString} ${!!old}->${!!object}`);
  });
  const region = createRegion("eu", store, cache, () => 0);
  // deno-lint-ignore require-await -- as transactions are
  await region.change(async (tx) => {
    tx.put(FlavorKind, flavor("a"));
    tx.put(FlavorKind, flavor("b"));
  });
  assert.deepEqual([...cache.table(FlavorKind).keys()].sort(), ['{"name":"a"}', '{"name":"b"}']);
  // More than the watch can follow in one go, then gone from history at once.
  for (let i = 0; i < 2000; i++) {
    void store.transact([], [{
      type: "put",
      key: FlavorKind.storePrefix + '{"name":"c"}',
      value: encodeObject(FlavorKind, flavor("c")),
    }]);
  }
  await store.transact([], [{ type: "delete", key: FlavorKind.storePrefix + '{"name":"a"}' }]);
  await store.compact((await store.get("any")).revision);
  await cache.reached((await store.get("any")).revision);
  await until(() => !cache.table(FlavorKind).has('{"name":"a"}'), "the cache has caught up");
  assert.deepEqual([...cache.table(FlavorKind).keys()].sort(), ['{"name":"b"}', '{"name":"c"}']);
  assert.deepEqual(changes.slice(0, 2), ['{"name":"a"} false->true', '{"name":"b"} false->true']);
  assert.equal(changes.filter((change) => change === '{"name":"a"} true->false').length, 1);
  await cache.close();
  await store.close();
});

Deno.test("what the cache knows of a key, as of whatever revision, is what the store had then", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.boolean()), { minLength: 1, maxLength: 12 }),
      async (steps) => {
        const store = await openStore("sqlite::memory:");
        const cache = new RegionCache(store, allKinds, memoryLogger().log);
        await cache.start();
        const keys = ["a", "b", "c"].map((name) => FlavorKind.storeKey({ name }));
        for (const [name, comes] of steps) {
          const key = FlavorKind.storeKey({ name });
          const value = encodeObject(FlavorKind, flavor(name));
          const op = comes ? { type: "put" as const, key, value } : { type: "delete" as const, key };
          const { revision } = await store.transact([], [op]);
          await cache.reached(revision);
          assert.ok(keys.every((key) => cache.modRevision(key, revision) !== undefined));
          for (let at = 1; at <= revision + 1; at++) {
            for (const key of keys) {
              const known = cache.modRevision(key, at);
              if (at > revision) assert.equal(known, undefined);
              else if (known !== undefined) {
                assert.equal(known, (await store.get(key, { revision: at })).entry?.modRevision ?? 0);
              }
            }
          }
        }
        assert.equal(cache.modRevision("/v1/AppInstId/x", cache.revision), undefined);
        await cache.close();
        await store.close();
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("a change by the cache is granted and refused by what the store holds, also when the cache is behind", async () => {
  const store = await openStore("sqlite::memory:");
  const cache = new RegionCache(store, allKinds, memoryLogger().log);
  await cache.start();
  const region = createRegion("eu", store, cache, () => 0);
  const create = (name: string) =>
    region.changeByCache(async (tx) => {
      if (await tx.get(FlavorKind, FlavorKind.keyString({ name }))) throw new Error("exists");
      if (name !== "first") await tx.require(FlavorKind, FlavorKind.keyString({ name: "first" }));
      tx.put(FlavorKind, flavor(name));
    });
  const elsewhere = (name: string, comes: boolean) => {
    const key = FlavorKind.storeKey({ name });
    const value = encodeObject(FlavorKind, flavor(name));
    return store.transact([], [comes ? { type: "put", key, value } : { type: "delete", key }]);
  };
  await create("first");
  await assert.rejects(create("first"), /exists/);
  // Each of these is begun before the cache can have heard of what another controller did.
  await Promise.all([elsewhere("taken", true), assert.rejects(create("taken"), /exists/)]);
  await Promise.all([elsewhere("taken", false), create("taken")]);
  await Promise.all([elsewhere("first", false), assert.rejects(create("second"), /not found/)]);
  await Promise.all([elsewhere("first", true), create("second")]);
  const { value } = await region.changeByCache(async (tx) => {
    const first = (await tx.require(FlavorKind, FlavorKind.keyString({ name: "first" })))!;
    first.ram++;
    tx.put(FlavorKind, first);
    return { value: first.ram };
  });
  assert.equal(cache.get(FlavorKind, FlavorKind.keyString({ name: "first" }))!.ram, value);
  assert.equal(flavor("first").ram + 1, value);
  await cache.close();
  await store.close();
});

Deno.test("a region of several pages is listed whole, at the start and after the watch was lost", async () => {
  const store = await openStore("sqlite::memory:", { historyKeepRevisions: 1 });
  const keyOf = (i: number) => FlavorKind.storeKey({ name: `f${i}` });
  const put = (i: number) => ({
    type: "put" as const,
    key: keyOf(i),
    value: encodeObject(FlavorKind, flavor(`f${i}`)),
  });
  for (let from = 0; from < 2_500; from += 100) {
    await store.transact([], Array.from({ length: 100 }, (_, i) => put(from + i)));
  }
  const cache = new RegionCache(store, allKinds, memoryLogger().log);
  await cache.start();
  assert.equal(cache.table(FlavorKind).size, 2_500);
  assert.equal(cache.revision, (await store.get("any")).revision);
  const changed: string[] = [];
  cache.subscribe(({ objects }) => {
    for (const { keyString, object, old } of objects) changed.push(`${keyString} ${!!old}->${!!object}`);
  });
  // Gone from history before the watch can have read them.
  await store.transact([], [{ type: "delete", key: keyOf(0) }, put(2_500)]);
  const { revision } = await store.transact([], [{ type: "delete", key: keyOf(2_499) }]);
  await store.compact(revision);
  await cache.reached(revision);
  assert.deepEqual([cache.table(FlavorKind).size, cache.revision], [2_499, revision]);
  assert.deepEqual(changed.sort(), [
    '{"name":"f0"} true->false',
    '{"name":"f2499"} true->false',
    '{"name":"f2500"} false->true',
  ]);
  await cache.close();
  await store.close();
});

Deno.test("scopes come from the schema, and an app's follow its instances", () => {
  const scopes = new ScopeIndex();
  const edge = CloudletKind.keyString(cloudlet().key);
  assert.equal(scopes.scopesOf(FlavorKind, "", flavor()), undefined);
  assert.deepEqual(scopes.scopesOf(CloudletKind, edge, cloudlet()), [edge]);
  const appKey = AppKind.keyString(app().key);
  assert.deepEqual(scopes.scopesOf(AppKind, appKey, app()), []);
  const change = (object?: AppInst, old?: AppInst) => ({ kind: AppInstKind, keyString: "", object, old });
  const first = instance();
  const second = AppInst.create({ ...first, dnsLabel: "another" });
  assert.deepEqual(scopes.update([change(first)]).map(({ keyString }) => keyString), [appKey]);
  assert.deepEqual(scopes.update([change(second)]), []);
  assert.deepEqual(scopes.update([change(first, first)]), []);
  assert.deepEqual(scopes.scopesOf(AppKind, appKey, app()), [edge]);
  assert.deepEqual(scopes.update([change(undefined, first)]), []);
  assert.equal(scopes.update([change(undefined, second)]).length, 1);
  assert.deepEqual(scopes.scopesOf(AppKind, appKey, app()), []);
});

Deno.test("a deletion that a dead controller had only marked is undone, at the start and when it dies", async () => {
  const store = await openStore("sqlite::memory:");
  await claimStore(store, "eu");
  const marked = (name: string) => Flavor.create({ ...flavor(name), deletePrepare: true });
  const flavorKey = (name: string) => FlavorKind.keyString({ name });
  const other = await store.grantLease(60_000);
  for (const name of ["orphan", "held"]) {
    await store.transact([], [{
      type: "put",
      key: FlavorKind.storePrefix + flavorKey(name),
      value: encodeObject(FlavorKind, marked(name)),
    }]);
  }
  const row = operationRow(FlavorKind, flavorKey("held"));
  const operation = {
    id: "other#1",
    stream: "other#1",
    owner: "other",
    action: "delete",
    step: "",
    deadlineMs: 0,
    override: 0,
  };
  const self = Controller.create({ key: { addr: "two" }, run: "other" });
  const key = ControllerKind.storeKey(self.key);
  await store.transact([], [
    { type: "put", key: row, value: encodeRow(operation) },
    { type: "put", key, value: encodeObject(ControllerKind, self), lease: other.id },
  ]);
  {
    await using world = await World.start({ store });
    const deleting = async (name: string) => {
      for await (const found of world.api.flavors.showFlavor(flavor(name))) return found.deletePrepare;
    };
    await until(async () => await deleting("orphan") === false, "the mark of the orphan is gone");
    assert.equal(await deleting("held"), true);
    await assert.rejects(world.api.flavors.deleteFlavor(flavor("held")), /already in progress/);
    await other.revoke();
    await until(async () => await deleting("held") === false, "the mark of the other controller is gone");
    await until(async () => (await store.scan(OPERATION_PREFIX)).entries.length === 0, "so is its operation");
    await world.api.flavors.deleteFlavor(flavor("held"));
  }
  await store.close();
});

Deno.test("a site that does not come back after a restart is offline", async () => {
  const store = await openStore("sqlite::memory:");
  {
    await using world = await World.start({ store });
    world.site().start().ready();
    for await (const _ of world.api.cloudlets.createCloudlet(cloudlet()));
  }
  {
    await using _world = await World.start({ store });
    const state = async () => {
      const { entry } = await store.get(`/v1/CloudletInfo/${CloudletKind.keyString(cloudlet().key)}`);
      return JSON.parse(new TextDecoder().decode(entry!.value)).state;
    };
    await until(async () => await state() === "Offline", "the site is offline");
  }
  await store.close();
});

Deno.test("two controllers on one store: either takes calls, wherever the site is connected", async () => {
  const store = await openStore("sqlite::memory:");
  {
    await using here = await World.start({ store });
    await using there = await World.start({ store, parts: { id: "two" } });
    const site = await furnish(here, { site: there.site() });
    await lines(here.api.instances.createAppInst(instance()));
    const [seen] = await all(there.api.instances.showAppInst(AppInst.create()));
    assert.equal(seen!.state, TrackedState.READY);
    site.behaviour = { remove: () => "working" };
    const deleting = lines(here.api.instances.deleteAppInst(instance()));
    await until(
      async () => (await all(there.api.instances.showAppInst(AppInst.create())))[0]!.state === TrackedState.DELETING,
      "the site deletes",
    );
    await assert.rejects(
      lines(there.api.instances.deleteAppInst(instance())),
      /already in progress.*busy, already under deletion/,
    );
    site.reportInstance(site.instances[0]!, TrackedState.DELETE_DONE);
    await deleting;
    assert.deepEqual(await all(there.api.instances.showAppInst(AppInst.create())), []);
  }
  await store.close();
});
