import { type Store, transaction } from "../../../../shared/store/mod.ts";
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
   */
  change<V>(body: (tx: ObjectTx) => Promise<V>): Promise<V>;
}

/** Makes the region on an open store and a started cache. */
export function createRegion(name: string, store: Store, cache: RegionCache, nowMs: () => number): Region {
  return {
    name,
    cache,
    async change(body) {
      try {
        const { value, revision } = await transaction(store, (tx) => body(new ObjectTx(tx, nowMs())));
        await cache.reached(revision);
        return value;
      } catch (error) {
        throw fromStore(error);
      }
    },
  };
}
