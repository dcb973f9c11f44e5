/** Bytes within a larger array. */
export interface ByteRange {
  readonly slab: Uint8Array;
  readonly at: number;
  readonly length: number;
}

/** Size of the first slab, for the many lists that stay small. */
const FIRST_SLAB_BYTES = 4 * 1024;
/** Slabs double up to this size; larger entries get one of their own. */
const LARGEST_SLAB_BYTES = 256 * 1024;

/**
 * Keeps many small byte strings in few large arrays: an array of its own costs each several hundred bytes on this runtime.
 * What is dropped is freed only by moving the rest to another arena.
 */
export class Arena {
  readonly slabs: Uint8Array[] = [];
  #slab = new Uint8Array();
  #used = 0;
  #nextBytes = FIRST_SLAB_BYTES;
  #allocated = 0;

  /** Bytes of all slabs so far. */
  get allocated(): number {
    return this.#allocated;
  }

  /** Room for so many bytes, in the last slab: directly behind those reserved before if it has room. */
  reserve(length: number): ByteRange {
    if (length > this.#slab.length - this.#used) {
      const bytes = Math.max(length, this.#nextBytes);
      this.#slab = new Uint8Array(bytes);
      this.slabs.push(this.#slab);
      this.#used = 0;
      this.#allocated += bytes;
      this.#nextBytes = Math.min(LARGEST_SLAB_BYTES, this.#nextBytes * 2);
    }
    const range = { slab: this.#slab, at: this.#used, length };
    this.#used += length;
    return range;
  }
}
