import { Arena } from "./arena.ts";

/** Bits of {@linkcode ChangeColumns.flags}. */
export const Flag = {
  /** No later change of the key has taken its place. */
  LIVE: 1,
  /** It is an update, otherwise a deletion. */
  UPDATE: 2,
} as const;

/** Columns grow by this factor: what lies idle behind them is bounded by it. */
const GROWTH = 1.5;
const FIRST_PLACES = 32;

/**
 * Changes in columns, by place. An object for each would cost a multiple of this: 33 bytes a change, and the encoded entry
 * in the arena.
 */
export class ChangeColumns {
  count = 0;
  revision = new Float64Array(FIRST_PLACES);
  /** Where the encoded entry is: number of the slab, offset, and length. */
  slab = new Uint32Array(FIRST_PLACES);
  at = new Uint32Array(FIRST_PLACES);
  length = new Uint32Array(FIRST_PLACES);
  /** Length of the value, at the end of the entry. */
  valueLength = new Uint32Array(FIRST_PLACES);
  /** Hash of the key. */
  hash = new Int32Array(FIRST_PLACES);
  /** Number of the scopes that see the object. */
  scopes = new Uint32Array(FIRST_PLACES);
  flags = new Uint8Array(FIRST_PLACES);
  arena = new Arena();

  /** Makes room for one more and returns its place. */
  add(): number {
    if (this.count === this.flags.length) this.#resize(Math.ceil(this.count * GROWTH) + FIRST_PLACES);
    return this.count++;
  }

  /** Drops the places that are not live; the others move up in order. @param moved told of each. */
  compact(moved: (from: number, to: number) => void): void {
    const columns = this.#columns();
    let to = 0;
    for (let from = 0; from < this.count; from++) {
      if ((this.flags[from]! & Flag.LIVE) === 0) continue;
      moved(from, to);
      for (const column of columns) column[to] = column[from]!;
      to++;
    }
    this.count = to;
    this.#resize(Math.ceil(to * GROWTH) + FIRST_PLACES);
  }

  /** Moves the entries that live into a new arena, in the order in which they are sent. */
  sweepArena(): void {
    const old = this.arena;
    const arena = new Arena();
    for (let place = 0; place < this.count; place++) {
      const length = this.length[place]!;
      // Of the others nobody asks for their entries any more.
      if ((this.flags[place]! & Flag.LIVE) === 0) continue;
      const at = this.at[place]!;
      const from = old.slabs[this.slab[place]!]!;
      const target = arena.reserve(length);
      target.slab.set(from.subarray(at, at + length), target.at);
      this.slab[place] = arena.slabs.length - 1;
      this.at[place] = target.at;
    }
    this.arena = arena;
  }

  #columns(): (Float64Array | Uint32Array | Int32Array | Uint8Array)[] {
    return [
      this.revision,
      this.slab,
      this.at,
      this.length,
      this.valueLength,
      this.hash,
      this.scopes,
      this.flags,
    ];
  }

  #resize(places: number): void {
    const resized = <T extends { set(from: T): void; subarray(from: number, to: number): T }>(old: T, fresh: T): T => {
      fresh.set(old.subarray(0, this.count));
      return fresh;
    };
    this.revision = resized(this.revision, new Float64Array(places));
    this.slab = resized(this.slab, new Uint32Array(places));
    this.at = resized(this.at, new Uint32Array(places));
    this.length = resized(this.length, new Uint32Array(places));
    this.valueLength = resized(this.valueLength, new Uint32Array(places));
    this.hash = resized(this.hash, new Int32Array(places));
    this.scopes = resized(this.scopes, new Uint32Array(places));
    this.flags = resized(this.flags, new Uint8Array(places));
  }
}
