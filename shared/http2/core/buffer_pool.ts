/** Small buffers: what an answer or two take, so that many connections that write a little hold little. */
const SMALL_BYTES = 8_192;
/** Buffers kept for the next user: enough for the connections that write at the same moment, not for all that exist. */
const MAX_SMALL = 256;
const MAX_LARGE = 32;

/** Output buffers of two sizes, shared by connections so that an idle one holds none. */
export class BufferPool {
  readonly #small: Uint8Array[] = [];
  readonly #large: Uint8Array[] = [];
  readonly #largeBytes: number;

  /** @param largeBytes Size of the large buffers, in octets: what a connection has waiting at most, as a rule. */
  constructor(largeBytes: number) {
    this.#largeBytes = largeBytes;
  }

  /** A buffer of at least `bytes` octets; its contents are arbitrary. */
  take(bytes: number): Uint8Array {
    if (bytes <= SMALL_BYTES) return this.#small.pop() ?? new Uint8Array(SMALL_BYTES);
    if (bytes <= this.#largeBytes) return this.#large.pop() ?? new Uint8Array(this.#largeBytes);
    return new Uint8Array(bytes * 2);
  }

  /** Gives a buffer back; those of another size are left to the garbage collector. */
  give(buffer: Uint8Array): void {
    if (buffer.length === SMALL_BYTES) {
      if (this.#small.length < MAX_SMALL) this.#small.push(buffer);
    } else if (buffer.length === this.#largeBytes && this.#large.length < MAX_LARGE) this.#large.push(buffer);
  }
}
