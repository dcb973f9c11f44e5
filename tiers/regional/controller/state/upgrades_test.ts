import assert from "node:assert/strict";
import type { JsonValue } from "../../../../shared/schema/mod.ts";
import { openStore, type Store, transaction } from "../../../../shared/store/mod.ts";
import { controllerRow, decodeRow, encodeRow, VERSION_ROW } from "./rows.ts";
import type { Upgrade } from "./upgrades.ts";
import { UPGRADES } from "./upgrades.ts";
import { claimStore, modelVersion } from "./version.ts";

type Row = { [key: string]: JsonValue };

/** Adds a field, then splits rows in two: what upgrades do. */
const STEPS: readonly Upgrade[] = [
  {
    to: 2,
    what: "lamps have a colour",
    prefixes: ["/v1/Lamp/"],
    change: (key, value) => "colour" in (value as Row) ? [] : [{ key, value: { ...value as Row, colour: "white" } }],
  },
  {
    to: 3,
    what: "rooms have rows of their own",
    prefixes: ["/v1/Lamp/"],
    change(key, value) {
      const { room, ...rest } = value as Row;
      if (room === undefined) return [];
      return [{ key, value: rest }, { key: `/v1/Room/${room}`, value: { lit: true } }];
    },
  },
];

async function oldStore(lamps: number): Promise<Store> {
  const store = await openStore("sqlite::memory:");
  await claimStore(store, "eu", { upgrades: [] });
  for (let i = 0; i < lamps; i++) {
    await transaction(store, (tx) => tx.put(`/v1/Lamp/${i}`, encodeRow({ room: `r${i % 3}` })));
  }
  return store;
}

async function rows(store: Store): Promise<[string, JsonValue][]> {
  return (await store.scan("")).entries.map(({ key, value }) => [key, decodeRow(value)]);
}

Deno.test("versions follow each other without gaps", () => {
  assert.deepEqual(UPGRADES.map(({ to }) => to), UPGRADES.map((_, i) => i + 2));
});

Deno.test("an older store is refused with what would change, and upgraded where that is wanted", async () => {
  const store = await oldStore(130);
  const before = await rows(store);
  await assert.rejects(claimStore(store, "eu", { upgrades: STEPS }), /needs 3 \(2: lamps.*; 3: rooms.*--auto-upgrade/);
  assert.deepEqual(await rows(store), before);
  const told: string[] = [];
  await claimStore(store, "eu", {
    upgrades: STEPS,
    autoUpgrade: true,
    log: (message, { version, rows }) => told.push(`${message} ${version} ${rows}`),
  });
  assert.equal(told.length, 4);
  assert.equal(told[1], "Region store upgraded 2 130");
  const after = Object.fromEntries(await rows(store));
  assert.deepEqual(after["/v1/Lamp/7"], { colour: "white" });
  assert.deepEqual(Object.keys(after).filter((key) => key.startsWith("/v1/Room/")), [
    "/v1/Room/r0",
    "/v1/Room/r1",
    "/v1/Room/r2",
  ]);
  assert.equal((after[VERSION_ROW] as Row)["version"], 3);
  await assert.rejects(claimStore(store, "eu", { upgrades: STEPS.slice(0, 1) }), /version 3.*newer release/);
  await store.close();
});

Deno.test("an upgrade that was cut off anywhere goes on", async () => {
  const whole = await oldStore(130);
  await claimStore(whole, "eu", { upgrades: STEPS, autoUpgrade: true });
  const expected = await rows(whole);
  for (let writes = 0;; writes++) {
    const store = await oldStore(130);
    let left = writes;
    const breaking: Store = Object.assign(Object.create(store), {
      get: store.get.bind(store),
      scan: store.scan.bind(store),
      transact(...args: Parameters<Store["transact"]>) {
        if (left-- === 0) throw new Error("power cut");
        return store.transact(...args);
      },
    });
    const options = { upgrades: STEPS, autoUpgrade: true };
    const cut = await claimStore(breaking, "eu", options).then(() => false, () => true);
    await claimStore(store, "eu", options);
    assert.deepEqual(await rows(store), expected);
    await store.close();
    if (!cut) break;
  }
  await whole.close();
});

Deno.test("nothing is upgraded under a controller that is alive", async () => {
  const store = await oldStore(1);
  const lease = await store.grantLease(5000);
  await transaction(store, (tx) => tx.put(controllerRow("two"), encodeRow({}), { lease: lease.id }));
  const options = { upgrades: STEPS, autoUpgrade: true };
  await assert.rejects(claimStore(store, "eu", options), /controller two works on it: stop all of them first/);
  await lease.revoke();
  await claimStore(store, "eu", options);
  assert.equal(modelVersion(STEPS), 3);
  await store.close();
});

Deno.test("version 3: an instance in a cluster names it, one without stays as it is", async () => {
  const store = await openStore("sqlite::memory:");
  await claimStore(store, "eu", { upgrades: [] });
  const instance = (name: string) => ({
    key: { app_key: { name: "Web" }, cluster_inst_key: { cluster_key: { name }, organization: "AtlasWorks" } },
    state: "Ready",
  });
  await transaction(store, (tx) => {
    tx.put("/v1/AppInst/a", encodeRow(instance("alpha")));
    tx.put("/v1/AppInst/b", encodeRow(instance("defaultclust")));
  });
  await claimStore(store, "eu", { upgrades: UPGRADES.slice(0, 2), autoUpgrade: true });
  const upgraded = Object.fromEntries((await rows(store)).filter(([key]) => key.startsWith("/v1/AppInst/")));
  assert.deepEqual(upgraded, {
    "/v1/AppInst/a": { ...instance("alpha"), real_cluster_name: "alpha" },
    "/v1/AppInst/b": instance("defaultclust"),
  });
  await store.close();
});
