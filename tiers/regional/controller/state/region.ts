import { type KnownState, transaction, type TransactionStore } from "../../../../shared/store/mod.ts";
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
  /**
   * The same for changes that are mostly granted: objects are first read from the cache, so that a creation costs the store
   * one transaction and no reads. What is refused, or found to need no change, is so by what the store holds.
   */
  changeByCache<V>(body: (tx: ObjectTx) => Promise<V>): Promise<V>;
}

/**
 * Makes the region on an open store and a started cache.
 *
 * @param knows whether the cache shows the store and not, as in a dry run, another that lies below it
 */
export function createRegion(
  name: string,
  store: TransactionStore,
  cache: RegionCache,
  nowMs: () => number,
  knows = true,
): Region {
  const queues = new Map<string, Promise<void>>();

  async function change<V>(body: (tx: ObjectTx) => Promise<V>, known?: KnownState): Promise<V> {
    try {
      const { value, revision } = await transaction(store, (tx) => body(new ObjectTx(tx, nowMs(), cache)), { known });
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
    changeByCache: (body) => change(body, knows ? cache : undefined),
    change: (body, queue) => queue === undefined ? change(body) : changeInTurn(body, queue),
  };
}
