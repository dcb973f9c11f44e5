/** Buffers kept for the next user: enough for the connections that write at the same moment, not for all that exist. */
const MAX_POOLED = 64;

/** Output buffers of one size, shared by connections so that an idle one holds none. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];
  /** Size of its buffers, in octets. */
  readonly bufferBytes: number;

  constructor(bufferBytes: number) {
    this.bufferBytes = bufferBytes;
  }

  /** A buffer of `bufferBytes`; its contents are arbitrary. */
  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.bufferBytes);
  }

  /** Gives a buffer back; those of another size are left to the garbage collector. */
  give(buffer: Uint8Array): void {
    if (buffer.length === this.bufferBytes && this.#free.length < MAX_POOLED) this.#free.push(buffer);
  }
}
