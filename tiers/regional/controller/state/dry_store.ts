import type { Op, Store, StoreEntry } from "../../../../shared/store/mod.ts";

/** What a dry run works on: a store whose changes stay in memory, seen by nobody else. */
export interface DryStore {
  /** Reads what the real store holds, with the changes made here. */
  readonly store: Pick<Store, "get" | "scan" | "transact">;
  /** Changes made here so far: `before` is undefined for a new key, `value` for a deleted one. */
  changes(): Iterable<{ key: string; before: Uint8Array | undefined; value: Uint8Array | undefined }>;
}

/** Puts a layer over a store that takes every change. Conditions of transactions hold, as nobody else is there. */
export function dryStore(real: Store): DryStore {
  const layer = new Map<string, { before: Uint8Array | undefined; entry: StoreEntry | undefined }>();

  async function apply(op: Op, revision: number): Promise<void> {
    const known = layer.get(op.key);
    const before = known === undefined ? (await real.get(op.key)).entry?.value : known.before;
    if (op.type === "delete") return void layer.set(op.key, { before, entry: undefined });
    const entry = { key: op.key, value: op.value, createRevision: revision, modRevision: revision, version: 1 };
    layer.set(op.key, { before, entry });
  }

  return {
    store: {
      async get(key, options) {
        const { entry, revision } = await real.get(key, options);
        const changed = layer.get(key);
        return { entry: changed === undefined ? entry : changed.entry, revision };
      },
      async scan(prefix, options = {}) {
        const { limit, after = "" } = options;
        // As many more as the layer can take away.
        const asked = limit === undefined ? undefined : limit + layer.size;
        const page = await real.scan(prefix, { ...options, limit: asked });
        const found = new Map(page.entries.map((entry) => [entry.key, entry]));
        const last = page.more ? page.entries.at(-1)!.key : undefined;
        for (const [key, { entry }] of layer) {
          if (!key.startsWith(prefix) || key <= after || (last !== undefined && key > last)) continue;
          if (entry === undefined) found.delete(key);
          else found.set(key, entry);
        }
        const entries = [...found.values()].sort((a, b) => a.key < b.key ? -1 : 1);
        const cut = limit !== undefined && entries.length > limit;
        return { entries: cut ? entries.slice(0, limit) : entries, revision: page.revision, more: page.more || cut };
      },
      async transact(_compares, ops) {
        const { revision } = await real.get("/");
        for (const op of ops) await apply(op, revision);
        return { committed: true, revision };
      },
    },
    *changes() {
      for (const [key, { before, entry }] of layer) yield { key, before, value: entry?.value };
    },
  };
}
