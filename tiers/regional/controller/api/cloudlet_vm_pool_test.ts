import assert from "node:assert/strict";
import { kinds } from "../../../../shared/schema/mod.ts";
import { openStore } from "../../../../shared/store/mod.ts";
import { memoryLogger } from "../../../../shared/telemetry/mod.ts";
import type { AnyKind } from "../faults.ts";
import { createRegion } from "../state/region.ts";
import { RegionCache } from "../state/region_cache.ts";
import { cloudlet } from "../testing/world.ts";
import { freeVmPool, holdVmPool } from "./cloudlet_vm_pool.ts";

Deno.test("of two cloudlets that want one pool at once, one gets it, until it goes", async () => {
  const store = await openStore("sqlite::memory:");
  const cache = new RegionCache(store, kinds as readonly AnyKind[], memoryLogger().log);
  await cache.start();
  const region = createRegion("eu", store, cache, () => 0);
  const named = (name: string, vmPool = "machines") =>
    cloudlet({ key: { organization: "Bayline Inc.", name }, vmPool });
  const hold = (name: string, vmPool?: string) => region.change((tx) => holdVmPool(tx, named(name, vmPool)));
  const outcomes = await Promise.allSettled([hold("A"), hold("B")]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const [winner, loser] = outcomes[0]!.status === "fulfilled" ? ["A", "B"] : ["B", "A"];
  await assert.rejects(hold(loser!), (error: Error) => error.message.startsWith("VMPool in use by Cloudlet"));
  await hold(winner!);
  await hold(loser!, "others");
  await hold(loser!, "");
  // deno-lint-ignore require-await -- as transactions are
  await region.change(async (tx) => freeVmPool(tx, named(winner!)));
  await hold(loser!);
  await cache.close();
  await store.close();
});
