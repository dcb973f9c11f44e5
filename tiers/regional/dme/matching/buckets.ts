import type { Place } from "./geo.ts";
import type { Search } from "./search.ts";

/** Slots of a bucket: measured best between 20 and 40, since a look at one more costs less than a node more above it. */
export const BUCKET_SLOTS = 24;

/** Ends a chain. */
export const NONE = -1;

/** A set of one bucket or less, of which there are many, does not need a whole one. */
const INITIAL_SLOTS = 4;
const GROWTH = 1.5;

/** Words of a slot: x, y, z, and the number of what is there. Four slots lie in a cache line. */
const WORDS = 4;

/**
 * Numbered points in buckets of equal size, each bucket together in memory, so that a look at one costs few cache lines.
 * Buckets hang in chains, named by their first one; only the first of a chain may be partly filled.
 */
export class Buckets {
  /** All slots: coordinates as floats, and the same memory as whole numbers. */
  #floats = new Float32Array(INITIAL_SLOTS * WORDS);
  #ids = new Int32Array(this.#floats.buffer);
  /** Filled slots of each bucket. */
  #counts = new Uint8Array(1);
  /** The bucket behind each in its chain, or among the free ones. */
  #next = new Int32Array(1);
  #made = 0;
  #free = NONE;

  /** Whether a chain is no longer than one bucket. */
  isSingle(chain: number): boolean {
    return chain === NONE || this.#next[chain] === NONE;
  }

  /** Points in the first bucket of a chain. */
  count(chain: number): number {
    return chain === NONE ? 0 : this.#counts[chain]!;
  }

  /** Puts a point into a chain, or begins one. @returns The chain. */
  push(chain: number, id: number, x: number, y: number, z: number): number {
    if (chain === NONE || this.#counts[chain] === BUCKET_SLOTS) {
      const bucket = this.#take();
      this.#next[bucket] = chain;
      chain = bucket;
    }
    const at = (chain * BUCKET_SLOTS + this.#counts[chain]!++) * WORDS;
    if (at >= this.#ids.length) this.#widen(at);
    this.#floats[at] = x;
    this.#floats[at + 1] = y;
    this.#floats[at + 2] = z;
    this.#ids[at + 3] = id;
    return chain;
  }

  /** Removes a point from a chain. @returns What is left of the chain; undefined when the point was not in. */
  remove(chain: number, id: number): number | undefined {
    const ids = this.#ids;
    for (let bucket = chain; bucket !== NONE; bucket = this.#next[bucket]!) {
      const end = (bucket * BUCKET_SLOTS + this.#counts[bucket]!) * WORDS;
      for (let at = bucket * BUCKET_SLOTS * WORDS; at < end; at += WORDS) {
        if (ids[at + 3] === id) return this.#vacate(chain, at);
      }
    }
    return undefined;
  }

  /** Whether everything in a chain is at a place; of several buckets it must be known that they are at one place. */
  isAt(chain: number, { x, y, z }: Place): boolean {
    const f = this.#floats;
    const first = chain * BUCKET_SLOTS;
    const end = first + (this.isSingle(chain) ? this.#counts[chain]! : 1);
    for (let at = first * WORDS; at < end * WORDS; at += WORDS) {
      if (f[at] !== x || f[at + 1] !== y || f[at + 2] !== z) return false;
    }
    return true;
  }

  /** Shows a search what is in a chain. */
  search(chain: number, search: Search): void {
    const f = this.#floats;
    const { x, y, z } = search;
    for (let bucket = chain; bucket !== NONE; bucket = this.#next[bucket]!) {
      const first = bucket * BUCKET_SLOTS;
      const end = (first + this.#counts[bucket]!) * WORDS;
      for (let at = first * WORDS; at < end; at += WORDS) {
        const dx = f[at]! - x;
        const dy = f[at + 1]! - y;
        const dz = f[at + 2]! - z;
        const chord = dx * dx + dy * dy + dz * dz;
        if (chord <= search.bound) search.take(this.#ids[at + 3]!, chord);
      }
    }
  }

  /** Ends a chain: its points are told. */
  drain(chain: number, visit: (id: number, x: number, y: number, z: number) => void): void {
    const f = this.#floats;
    while (chain !== NONE) {
      const first = chain * BUCKET_SLOTS;
      const end = (first + this.#counts[chain]!) * WORDS;
      for (let at = first * WORDS; at < end; at += WORDS) visit(this.#ids[at + 3]!, f[at]!, f[at + 1]!, f[at + 2]!);
      chain = this.#give(chain);
    }
  }

  /** Moves another point of a chain to where one is that goes. @returns The chain. */
  #vacate(chain: number, at: number): number {
    const left = --this.#counts[chain]!;
    const last = (chain * BUCKET_SLOTS + left) * WORDS;
    for (let word = 0; word < WORDS; word++) this.#ids[at + word] = this.#ids[last + word]!;
    return left > 0 ? chain : this.#give(chain);
  }

  #take(): number {
    const free = this.#free;
    if (free !== NONE) {
      this.#free = this.#next[free]!;
      return free;
    }
    const bucket = this.#made++;
    if (bucket === this.#counts.length) {
      const buckets = Math.ceil((bucket + 1) * GROWTH);
      this.#counts = widened(this.#counts, new Uint8Array(buckets));
      this.#next = widened(this.#next, new Int32Array(buckets));
    }
    return bucket;
  }

  /** Frees the first bucket of a chain. @returns The rest. */
  #give(bucket: number): number {
    const rest = this.#next[bucket]!;
    this.#counts[bucket] = 0;
    this.#next[bucket] = this.#free;
    this.#free = bucket;
    return rest;
  }

  #widen(at: number): void {
    const slots = at < BUCKET_SLOTS * WORDS ? BUCKET_SLOTS : this.#counts.length * BUCKET_SLOTS;
    this.#floats = widened(this.#floats, new Float32Array(slots * WORDS));
    this.#ids = new Int32Array(this.#floats.buffer);
  }
}

/** Fills the beginning of a larger array. */
export function widened<A extends { set(from: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}
