import type { Place } from "./geo.ts";
import type { Search } from "./search.ts";

/** Slots of a bucket: measured best between 20 and 40, since a look at one more costs less than a node more above it. */
export const BUCKET_SLOTS = 24;

/** Ends a chain. */
export const NONE = -1;

/** A set of one bucket or less, of which there are many, does not need a whole one. */
const INITIAL_SLOTS = 4;
const GROWTH = 1.5;

/**
 * Members with their places in buckets of equal size, each bucket together in memory, so that a look at one costs few
 * cache lines. Buckets hang in chains, named by their first one; only the first of a chain may be partly filled.
 */
export class Buckets<M> {
  /** x, y, z of the unit vector of each slot. */
  #coordinates = new Float32Array(INITIAL_SLOTS * 3);
  /** What is needed of the few slots that a search finds, in one cache line: latitude, longitude, tag. */
  #details = new Float64Array(INITIAL_SLOTS * 3);
  readonly #members: (M | undefined)[] = [];
  /** Filled slots of each bucket. */
  #counts = new Uint8Array(1);
  /** The bucket behind each in its chain, or among the free ones. */
  #next = new Int32Array(1);
  #made = 0;
  #free = NONE;

  /** What is in a slot. */
  member(slot: number): M {
    return this.#members[slot]!;
  }

  /** Degrees of a slot. */
  latitude(slot: number): number {
    return this.#details[slot * 3]!;
  }

  /** Degrees of a slot. */
  longitude(slot: number): number {
    return this.#details[slot * 3 + 1]!;
  }

  /** What a member was given. */
  tag(slot: number): number {
    return this.#details[slot * 3 + 2]!;
  }

  /** Whether a chain is no longer than one bucket. */
  isSingle(chain: number): boolean {
    return chain === NONE || this.#next[chain] === NONE;
  }

  /** Members in the first bucket of a chain. */
  count(chain: number): number {
    return chain === NONE ? 0 : this.#counts[chain]!;
  }

  /** Puts a member into a chain, or begins one. @returns The chain. */
  push(chain: number, member: M, { x, y, z, latitude, longitude, tag }: Place): number {
    if (chain === NONE || this.#counts[chain] === BUCKET_SLOTS) {
      const bucket = this.#take();
      this.#next[bucket] = chain;
      chain = bucket;
    }
    const slot = chain * BUCKET_SLOTS + this.#counts[chain]!++;
    if (slot * 3 >= this.#coordinates.length) this.#widen(slot);
    const c = this.#coordinates;
    c[slot * 3] = x;
    c[slot * 3 + 1] = y;
    c[slot * 3 + 2] = z;
    const d = this.#details;
    d[slot * 3] = latitude;
    d[slot * 3 + 1] = longitude;
    d[slot * 3 + 2] = tag;
    this.#members[slot] = member;
    return chain;
  }

  /** Slot of a member in a chain, or {@link NONE}. */
  find(chain: number, member: M): number {
    for (let bucket = chain; bucket !== NONE; bucket = this.#next[bucket]!) {
      const first = bucket * BUCKET_SLOTS;
      for (let slot = first + this.#counts[bucket]! - 1; slot >= first; slot--) {
        if (this.#members[slot] === member) return slot;
      }
    }
    return NONE;
  }

  /** Empties a slot of a chain by moving another member into it. @returns The chain. */
  remove(chain: number, slot: number): number {
    const left = --this.#counts[chain]!;
    const last = chain * BUCKET_SLOTS + left;
    for (let part = 0; part < 3; part++) {
      this.#coordinates[slot * 3 + part] = this.#coordinates[last * 3 + part]!;
      this.#details[slot * 3 + part] = this.#details[last * 3 + part]!;
    }
    this.#members[slot] = this.#members[last];
    this.#members[last] = undefined;
    return left > 0 ? chain : this.#give(chain);
  }

  /** Whether everything in a chain is at a place; of several buckets it must be known that they are at one place. */
  isAt(chain: number, { x, y, z }: Place): boolean {
    const c = this.#coordinates;
    const first = chain * BUCKET_SLOTS;
    const end = first + (this.isSingle(chain) ? this.#counts[chain]! : 1);
    for (let at = first * 3; at < end * 3; at += 3) if (c[at] !== x || c[at + 1] !== y || c[at + 2] !== z) return false;
    return true;
  }

  /** Shows a search what is in a chain. */
  search(chain: number, search: Search): void {
    const c = this.#coordinates;
    const { x, y, z } = search;
    for (let bucket = chain; bucket !== NONE; bucket = this.#next[bucket]!) {
      let slot = bucket * BUCKET_SLOTS;
      const end = slot + this.#counts[bucket]!;
      for (let at = slot * 3; slot < end; slot++, at += 3) {
        const dx = c[at]! - x;
        const dy = c[at + 1]! - y;
        const dz = c[at + 2]! - z;
        const chord = dx * dx + dy * dy + dz * dz;
        if (chord <= search.bound) search.take(slot, chord);
      }
    }
  }

  /** Ends a chain: its members and their places are told. */
  drain(chain: number, visit: (member: M, place: Place) => void): void {
    const [c, d] = [this.#coordinates, this.#details];
    while (chain !== NONE) {
      const first = chain * BUCKET_SLOTS;
      const end = first + this.#counts[chain]!;
      for (let slot = first; slot < end; slot++) {
        const at = slot * 3;
        const place = {
          ...{ x: c[at]!, y: c[at + 1]!, z: c[at + 2]! },
          ...{ latitude: d[at]!, longitude: d[at + 1]!, tag: d[at + 2]! },
        };
        visit(this.#members[slot]!, place);
        this.#members[slot] = undefined;
      }
      chain = this.#give(chain);
    }
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

  #widen(slot: number): void {
    const slots = slot < BUCKET_SLOTS ? BUCKET_SLOTS : this.#counts.length * BUCKET_SLOTS;
    this.#coordinates = widened(this.#coordinates, new Float32Array(slots * 3));
    this.#details = widened(this.#details, new Float64Array(slots * 3));
  }
}

/** Fills the beginning of a larger array. */
export function widened<A extends { set(from: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}
