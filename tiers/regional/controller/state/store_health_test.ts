import assert from "node:assert/strict";
import { Status } from "../../../../shared/rpc/mod.ts";
import { systemClock } from "../../../../shared/runtime/mod.ts";
import { Controller } from "../../../../shared/schema/mod.ts";
import { openStore, type Store, StoreError } from "../../../../shared/store/mod.ts";
import { memoryLogger } from "../../../../shared/telemetry/mod.ts";
import { cutStore } from "../testing/cut_store.ts";
import { refused } from "../testing/support.ts";
import { all, flavor, until, World } from "../testing/world.ts";
import { StoreHealth } from "./store_health.ts";

function healthOf(store: Store, slowMs = 1000) {
  const { log, records } = memoryLogger();
  const options = { store, controller: "one", clock: systemClock(), log, intervalMs: 5, slowMs };
  const health = new StoreHealth(options);
  health.start();
  return { health, words: () => records.map(({ message }) => message) };
}

Deno.test("a full store is said plainly, calls say what to do, and all is well when there is space again", async () => {
  const real = await openStore("sqlite::memory:");
  const cut = cutStore(real);
  {
    await using world = await World.start({ store: cut.store });
    const { health, words } = healthOf(cut.store);
    await world.api.flavors.createFlavor(flavor("one"));
    cut.fail(new StoreError("full", "No space left for store x"));
    await until(() => health.condition === "full", "the store is found full");
    assert.match(health.fault()!, /the store is full \(No space left for store x\): free space on its disk/);
    await refused(
      world.api.flavors.createFlavor(flavor("two")),
      Status.RESOURCE_EXHAUSTED,
      /store is full.*free space on its disk/,
    );
    assert.equal((await all(world.api.flavors.showFlavor(flavor("one")))).length, 1, "shows go on");
    cut.fail();
    await until(() => health.condition === "well", "the store is found well");
    assert.equal(health.fault(), undefined);
    await world.api.flavors.createFlavor(flavor("two"));
    assert.deepEqual(words(), ["Region store is full", "Region store is well again"]);
    await health.close();
  }
  await real.close();
});

Deno.test("a store that is slow, or does not answer, is said to be so", async () => {
  const real = await openStore("sqlite::memory:");
  let delayMs = 0;
  const store: Store = {
    ...cutStore(real).store,
    async transact(compares, ops) {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      return await real.transact(compares, ops);
    },
  };
  const { health, words } = healthOf(store, 20);
  await until(() => health.condition === "well", "the store is well");
  delayMs = 40;
  await until(() => health.condition === "slow", "the store is slow");
  assert.match(health.fault()!, /the store is slow \(a write took \d+ ms, at most 20 ms are good\): look at the load/);
  delayMs = 300;
  await until(() => health.condition === "silent", "the store does not answer");
  delayMs = 0;
  await until(() => health.condition === "well", "the store is well again");
  assert.ok(words().includes("Region store is slow") && words().includes("Region store is silent"));
  await health.close();
  await real.close();
});

Deno.test("a controller whose lease is lost is there again within seconds, in the same life", async () => {
  const real = await openStore("sqlite::memory:");
  const cut = cutStore(real);
  {
    await using world = await World.start({ store: cut.store });
    const runs = async () =>
      (await all(world.api.controllers.showController(Controller.create()))).map(({ run }) => run);
    const before = await runs();
    assert.equal(before.length, 1);
    const lostAt = performance.now();
    await cut.loseLeases();
    await until(async () => (await runs()).length === 0, "the controller is gone");
    await until(async () => (await runs()).length === 1, "the controller is back");
    assert.ok(performance.now() - lostAt < 5000);
    assert.deepEqual(await runs(), before);
  }
  await real.close();
});
