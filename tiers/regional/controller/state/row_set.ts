import type { JsonValue } from "../../../../shared/schema/mod.ts";
import type { StoreEntry } from "../../../../shared/store/mod.ts";
import { decodeRow } from "./rows.ts";

/** Rows under a prefix of the store, by the rest of their keys. */
export class RowSet {
  readonly #prefix: string;
  readonly #rows = new Map<string, Uint8Array>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Whether there is a row of this name. */
  has(name: string): boolean {
    return this.#rows.has(name);
  }

  /** The value of a row. */
  get(name: string): JsonValue | undefined {
    const value = this.#rows.get(name);
    return value && decodeRow(value);
  }

  /** Names of all rows. */
  names(): string[] {
    return [...this.#rows.keys()];
  }

  /** Takes the row in when it is under the prefix; false when it is not. */
  add({ key, value }: StoreEntry): boolean {
    if (!key.startsWith(this.#prefix)) return false;
    this.#rows.set(key.slice(this.#prefix.length), value);
    return true;
  }

  /** The name that went, if it was here. */
  delete(key: string): string[] {
    const name = key.slice(this.#prefix.length);
    return key.startsWith(this.#prefix) && this.#rows.delete(name) ? [name] : [];
  }

  /** Drops all rows whose keys are not in `keys`, and returns their names. */
  keepOnly(keys: ReadonlySet<string>): string[] {
    const gone = [...this.#rows.keys()].filter((name) => !keys.has(this.#prefix + name));
    for (const name of gone) this.#rows.delete(name);
    return gone;
  }
}

/**
 * Listeners of single rows that the cache does not keep: each is told the value after every change of its row, also after
 * the watch was lost, and undefined when the row went.
 */
export class RowWatchers {
  readonly #listeners = new Map<string, Set<(value: JsonValue | undefined) => void>>();

  /** Calls `listener` after each change of the row of a key, until what is returned is called. */
  watch(key: string, listener: (value: JsonValue | undefined) => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
    };
  }

  /** The row of a key changed, or (without a value) went. */
  changed(key: string, value: Uint8Array | undefined): void {
    const listeners = this.#listeners.get(key);
    if (listeners === undefined) return;
    const decoded = value && decodeRow(value);
    for (const listener of [...listeners]) listener(decoded);
  }

  /** All rows were read anew, and those of `keys` are there. */
  listed(keys: ReadonlySet<string>): void {
    for (const key of [...this.#listeners.keys()]) if (!keys.has(key)) this.changed(key, undefined);
  }
}
