import {
  type Lease,
  type Store,
  StoreError,
  type WatchBatch,
  type WatchOptions,
} from "../../../../shared/store/mod.ts";

/** A store whose user can be killed, or cut off for a while: what it does afterwards reaches nobody. */
export interface CutStore {
  readonly store: Store;
  /** Ends the leases at once, as if they had expired, and refuses everything from now on. */
  kill(): Promise<void>;
  /** Kills before, or right after, the transaction of a number from now on, from 1. */
  killAt(transaction: number, when: "before" | "after"): void;
  /** Ends the leases only. */
  loseLeases(): Promise<void>;
  /** Answers nothing, with this fault, until it is called without one. */
  fail(fault?: StoreError): void;
}

/** Wraps a store for one controller of several. */
export function cutStore(real: Store): CutStore {
  const leases = new Set<Lease>();
  let fault: StoreError | undefined;
  let left = 0;
  let when: "before" | "after" = "before";
  const cut = new AbortController();

  function guard<A extends unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      if (fault) throw fault;
      const result = await call(...args);
      if (cut.signal.aborted) throw fault;
      return result;
    };
  }

  const store: Store = {
    get: guard((...args) => real.get(...args)),
    scan: guard((...args) => real.scan(...args)),
    transact: guard(async (...args) => {
      const isLast = --left === 0;
      if (isLast && when === "before") {
        await kill();
        throw fault;
      }
      const result = await real.transact(...args);
      if (isLast) await kill();
      return result;
    }),
    grantLease: guard(async (ttlMs) => {
      const lease = await real.grantLease(ttlMs);
      leases.add(lease);
      return {
        id: lease.id,
        ttlMs: lease.ttlMs,
        lost: lease.lost,
        keepAlive: guard(() => lease.keepAlive()),
        revoke: guard(() => lease.revoke()),
      };
    }),
    compact: guard((revision) => real.compact(revision)),
    status: () => real.status(),
    close: () => Promise.resolve(),
    async *watch(prefix: string, options: WatchOptions): AsyncGenerator<WatchBatch> {
      if (fault) throw fault;
      const signal = AbortSignal.any([options.signal, cut.signal]);
      for await (const batch of real.watch(prefix, { ...options, signal })) {
        if (cut.signal.aborted) throw fault;
        yield batch;
      }
      if (fault) throw fault;
    },
  };

  async function loseLeases(): Promise<void> {
    for (const lease of leases) await lease.revoke();
    leases.clear();
  }

  async function kill(): Promise<void> {
    fault = new StoreError("unavailable", "killed");
    cut.abort();
    await loseLeases();
  }

  return {
    store,
    kill,
    killAt(transaction, moment) {
      left = transaction;
      when = moment;
    },
    loseLeases,
    fail: (next) => fault = next,
  };
}
