/** Frames smaller than this are not worth keeping their arrays for. */
const POOLED_BYTES = 16 * 1024;
/** Arrays kept for the next frames, bytes: for the streams that send at the same moment. */
const KEPT_BYTES = 2 * 1024 * 1024;

/**
 * Arrays for large frames. Without it, each frame of a snapshot is garbage of a quarter of a megabyte, which the system
 * does not get back for long.
 */
export class FramePool {
  readonly #bytes: number;
  readonly #free: Uint8Array[] = [];
  readonly #lent = new WeakSet<ArrayBufferLike>();

  /** @param bytes size of the arrays: what a full frame needs, as a rule. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** An array of this size, its contents arbitrary. */
  take(bytes: number): Uint8Array {
    if (bytes < POOLED_BYTES || bytes > this.#bytes) return new Uint8Array(bytes);
    const array = this.#free.pop() ?? new Uint8Array(this.#bytes);
    this.#lent.add(array.buffer);
    return array.subarray(0, bytes);
  }

  /** Takes back what {@linkcode FramePool.take} gave, once nobody reads it any more; anything else is left alone. */
  give({ buffer }: Uint8Array): void {
    if (!this.#lent.delete(buffer)) return;
    if (this.#free.length * this.#bytes < KEPT_BYTES) this.#free.push(new Uint8Array(buffer));
  }
}
