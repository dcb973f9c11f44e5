import type { Store } from "../../../../shared/store/mod.ts";

/** A store in which something happens between what a transaction has read and its commit. */
export interface InterruptedStore {
  readonly store: Store;
  /** Runs something once, before the next commit that writes a key with this beginning. */
  before(prefix: string, run: () => Promise<void>): void;
}

/** Wraps a store for one controller of several. */
export function interruptedStore(real: Store): InterruptedStore {
  let waiting: { prefix: string; run: () => Promise<void> } | undefined;
  const transact: Store["transact"] = async (compares, ops) => {
    const now = waiting;
    if (now && ops.some(({ key }) => key.startsWith(now.prefix))) {
      waiting = undefined;
      await now.run();
    }
    return await real.transact(compares, ops);
  };
  const store = new Proxy(real, {
    get(target, name) {
      if (name === "transact") return transact;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { store, before: (prefix, run) => waiting = { prefix, run } };
}
