import { Buffer } from "node:buffer";

/** Slots of a new index; always a power of two. */
const FIRST_SLOTS = 16;
/** The index grows when more than this part of its slots is taken. */
const MAX_LOAD = 0.6;
/** Another one in each process, so that nobody can choose keys that fall into the same slots. */
const SEED = crypto.getRandomValues(new Int32Array(1))[0]!;

/** UTF-8 of one key at a time, with its hash. */
export class KeyText {
  bytes: Buffer = Buffer.alloc(1_024);
  length = 0;
  hash = 0;

  /** Takes a key in. */
  set(key: string): void {
    // Three bytes a UTF-16 unit at most.
    if (key.length * 3 > this.bytes.length) this.bytes = Buffer.alloc(key.length * 3);
    this.length = this.bytes.write(key, "utf8");
    this.hash = hashOf(this.bytes, 0, this.length);
  }

  /** Whether these bytes are the key. */
  equals(slab: Uint8Array, at: number, length: number): boolean {
    if (length !== this.length) return false;
    const { bytes } = this;
    // Keys of a kind begin alike: from the end they differ sooner.
    for (let i = length - 1; i >= 0; i--) if (slab[at + i] !== bytes[i]) return false;
    return true;
  }
}

/** FNV-1a with a seed, its bits mixed once more. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = SEED;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

/**
 * Finds the place of a key by the key's hash. It holds numbers alone, ten bytes a key: keys themselves lie where their
 * changes do.
 */
export class KeyIndex {
  /** Place + 1 by slot; 0: free. */
  #slots = new Int32Array(FIRST_SLOTS);
  #taken = 0;

  /** The slot of a key, or the free one where it belongs. `same` tells whether a place is the key's. */
  slotOf(hash: number, same: (place: number) => boolean): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let place = slots[slot]!; place !== 0 && !same(place - 1); place = slots[slot]!) slot = (slot + 1) & mask;
    return slot;
  }

  /** The place at a slot; -1: the slot is free. */
  placeAt(slot: number): number {
    return this.#slots[slot]! - 1;
  }

  /** Puts a place at a slot that {@linkcode slotOf} gave. @param hashAt hash of the key at a place. */
  set(slot: number, place: number, hashAt: (place: number) => number): void {
    if (this.#slots[slot] === 0) this.#taken++;
    this.#slots[slot] = place + 1;
    if (this.#taken > this.#slots.length * MAX_LOAD) this.#grow(hashAt);
  }

  /** Forgets what is at a slot; what was pushed behind it moves up. */
  delete(slot: number, hashAt: (place: number) => number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    slots[slot] = 0;
    this.#taken--;
    let hole = slot;
    for (let next = (slot + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
      const home = hashAt(slots[next]! - 1) & mask;
      // It may move into the hole unless its home lies behind that.
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      slots[hole] = slots[next]!;
      slots[next] = 0;
      hole = next;
    }
  }

  /** Begins anew with the places from 0 on. */
  rebuild(count: number, hashAt: (place: number) => number): void {
    let size = FIRST_SLOTS;
    while (count > size * MAX_LOAD) size *= 2;
    this.#slots = new Int32Array(size);
    this.#taken = count;
    for (let place = 0; place < count; place++) this.#place(place + 1, hashAt(place));
  }

  #grow(hashAt: (place: number) => number): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    for (const place of old) if (place !== 0) this.#place(place, hashAt(place - 1));
  }

  #place(value: number, hash: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = value;
  }
}
