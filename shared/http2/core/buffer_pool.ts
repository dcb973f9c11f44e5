/** Sizes of the smaller buffers: what an answer or two take, and a burst of them; so many connections that write hold little. */
const SMALLER_BYTES = [8_192, 32_768];
/** Octets of each size that are kept for the next user: for the connections that write at the same moment, not for all. */
const KEPT_BYTES = 4_194_304;

/** Output buffers of a few sizes, shared by connections so that an idle one holds none. */
export class BufferPool {
  readonly #sizes: readonly number[];
  readonly #free: readonly Uint8Array[][];

  /** @param largestBytes Size of the largest buffers, in octets: what a connection has waiting at most, as a rule. */
  constructor(largestBytes: number) {
    this.#sizes = [...SMALLER_BYTES.filter((bytes) => bytes < largestBytes), largestBytes];
    this.#free = this.#sizes.map(() => []);
  }

  /** A buffer of at least `bytes` octets; its contents are arbitrary. */
  take(bytes: number): Uint8Array {
    for (let at = 0; at < this.#sizes.length; at++) {
      if (bytes <= this.#sizes[at]!) return this.#free[at]!.pop() ?? new Uint8Array(this.#sizes[at]!);
    }
    return new Uint8Array(bytes * 2);
  }

  /** Gives a buffer back; those of another size, or too many, are left to the garbage collector. */
  give(buffer: Uint8Array): void {
    const at = this.#sizes.indexOf(buffer.length);
    if (at >= 0 && this.#free[at]!.length * buffer.length < KEPT_BYTES) this.#free[at]!.push(buffer);
  }
}
