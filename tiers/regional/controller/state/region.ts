import { transaction, type TransactionStore } from "../../../../shared/store/mod.ts";
import { fromStore } from "../faults.ts";
import { ObjectTx } from "./object_tx.ts";
import type { RegionCache } from "./region_cache.ts";

/** The region's objects: read from the cache, changed in transactions. */
export interface Region {
  readonly name: string;
  readonly cache: RegionCache;
  /**
   * Runs a transaction and waits until the cache shows it. The body may run several times, so it must change nothing
   * but through `tx`. Errors of the store come as RpcErrors.
   *
   * @param queue changes that name the same queue run one after another in this controller. They would be right without,
   * but many at once that meet in one row, such as the ports of a cloudlet, would mostly run in vain
   */
  change<V>(body: (tx: ObjectTx) => Promise<V>, queue?: string): Promise<V>;
}

/** Makes the region on an open store and a started cache. */
export function createRegion(name: string, store: TransactionStore, cache: RegionCache, nowMs: () => number): Region {
  const queues = new Map<string, Promise<void>>();

  async function change<V>(body: (tx: ObjectTx) => Promise<V>): Promise<V> {
    try {
      const { value, revision } = await transaction(store, (tx) => body(new ObjectTx(tx, nowMs())));
      await cache.reached(revision);
      return value;
    } catch (error) {
      throw fromStore(error);
    }
  }

  async function changeInTurn<V>(body: (tx: ObjectTx) => Promise<V>, queue: string): Promise<V> {
    const before = queues.get(queue);
    const turn = Promise.withResolvers<void>();
    queues.set(queue, turn.promise);
    await before;
    try {
      return await change(body);
    } finally {
      turn.resolve();
      if (queues.get(queue) === turn.promise) queues.delete(queue);
    }
  }

  return {
    name,
    cache,
    change: (body, queue) => queue === undefined ? change(body) : changeInTurn(body, queue),
  };
}
