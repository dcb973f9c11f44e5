/**
 * The keys of a table in order, sorted again only when somebody asks after a change. Lists that were handed out stay as
 * they were.
 */
export class KeyOrder {
  #sorted: readonly string[] = [];
  #added: string[] = [];
  #removed = false;

  /** A key has come that was not there. */
  add(key: string): void {
    this.#added.push(key);
  }

  /** A key has gone. */
  remove(): void {
    this.#removed = true;
  }

  /** All keys of the table, ascending by UTF-16 code units. */
  keys(table: ReadonlyMap<string, unknown>): readonly string[] {
    if (this.#removed || this.#added.length > 0) {
      const present = (key: string) => table.has(key);
      const old = this.#removed ? this.#sorted.filter(present) : this.#sorted;
      // Two sorted runs cost the engine's merge sort little more than one pass.
      const merged = [...old, ...this.#added.filter(present).sort()].sort();
      // A key that went and came back is in both runs.
      this.#sorted = merged.filter((key, i) => key !== merged[i - 1]);
      this.#added = [];
      this.#removed = false;
    }
    return this.#sorted;
  }
}

/** Index of the first key after `key` in an ordered list. */
export function firstAfter(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
