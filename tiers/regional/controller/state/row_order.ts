/** What {@linkcode RowOrder} orders. */
interface Row {
  readonly key: string;
  /** Undefined once the row is gone. */
  readonly object: unknown;
}

/**
 * The rows of a table in the order of their keys, brought up to date only when somebody asks after a change. Lists that
 * were handed out stay as they were.
 */
export class RowOrder<R extends Row> {
  #sorted: readonly R[] = [];
  #added: R[] = [];
  #removed = false;

  /** A row has come. */
  add(row: R): void {
    this.#added.push(row);
  }

  /** A row has gone. */
  remove(): void {
    this.#removed = true;
  }

  /** All rows that are there, ascending by the UTF-16 code units of their keys. */
  rows(): readonly R[] {
    if (!this.#removed && this.#added.length === 0) return this.#sorted;
    const old = this.#removed ? this.#sorted.filter(isThere) : this.#sorted;
    const added = this.#added.filter(isThere).sort(byKey);
    this.#sorted = merge(old, added);
    this.#added = [];
    this.#removed = false;
    return this.#sorted;
  }
}

function isThere(row: Row): boolean {
  return row.object !== undefined;
}

function byKey(a: Row, b: Row): number {
  return a.key < b.key ? -1 : 1;
}

/** Few rows into many: their places are searched for, as comparing keys costs more than copying rows. */
function merge<R extends Row>(many: readonly R[], few: readonly R[]): readonly R[] {
  if (few.length === 0) return many;
  const merged: R[] = [];
  let from = 0;
  for (const row of few) {
    const to = firstAfter(many, row.key, from);
    while (from < to) merged.push(many[from++]!);
    merged.push(row);
  }
  while (from < many.length) merged.push(many[from++]!);
  return merged;
}

/** Index of the first row after `key` in an ordered list, not before index `from`. */
export function firstAfter(rows: readonly { readonly key: string }[], key: string, from = 0): number {
  let low = from;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]!.key <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
