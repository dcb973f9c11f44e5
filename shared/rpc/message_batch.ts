/** Octets in front of every message: a flag for compression and the length. */
const PREFIX_BYTES = 5;
const INITIAL_BYTES = 1_024;

/**
 * Messages of a response that are encoded already, one behind the other as they travel. The handler of a response stream
 * may yield a batch where it would yield one message; once it is resumed, the batch has left and may be cleared and used
 * again. Many small messages then cost one step of the stream instead of one each.
 */
export class MessageBatch {
  #octets = new Uint8Array(INITIAL_BYTES);
  #used = 0;

  /** Octets of all messages with their prefixes. */
  get bytes(): number {
    return this.#used;
  }

  /** Appends a message: octets of `source` from `at` on, which are copied. */
  add(source: Uint8Array, at = 0, length = source.length - at): void {
    const end = this.#used + PREFIX_BYTES + length;
    if (end > this.#octets.length) this.#grow(end);
    const octets = this.#octets;
    let to = this.#used;
    octets[to++] = 0;
    octets[to++] = length >>> 24;
    octets[to++] = length >>> 16;
    octets[to++] = length >>> 8;
    octets[to++] = length;
    octets.set(at === 0 && length === source.length ? source : source.subarray(at, at + length), to);
    this.#used = end;
  }

  /** Forgets all messages. */
  clear(): void {
    this.#used = 0;
  }

  /** All messages as they travel when they are not compressed; good until the batch is changed. */
  framed(): Uint8Array {
    return this.#octets.subarray(0, this.#used);
  }

  /** The messages, each a copy. */
  *messages(): Generator<Uint8Array> {
    const view = new DataView(this.#octets.buffer);
    for (let at = 0; at < this.#used;) {
      const start = at + PREFIX_BYTES;
      at = start + view.getUint32(at + 1);
      yield this.#octets.slice(start, at);
    }
  }

  #grow(atLeast: number): void {
    const larger = new Uint8Array(Math.max(atLeast, this.#octets.length * 2));
    larger.set(this.#octets.subarray(0, this.#used));
    this.#octets = larger;
  }
}
