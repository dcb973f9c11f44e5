const EMPTY = new Uint8Array(0);

/** Pieces at least this long are kept as they come; shorter ones are gathered, so that they cost what their octets cost. */
const LARGE_BYTES = 4_096;
/** The first and the largest array in which short pieces are gathered. */
const MIN_GATHER_BYTES = 512;
const MAX_GATHER_BYTES = 16_384;

/** Octets received that nobody has taken yet, in order. */
export class ReceiveBuffer {
  #chunks: Uint8Array[] = [];
  /** Where the next chunk to be taken stands. */
  #head = 0;
  /** Octets used of the last chunk. */
  #used = 0;
  #length = 0;

  /** Octets held. */
  get length(): number {
    return this.#length;
  }

  /** Appends a copy of `source[start, end)`. */
  append(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    const last = this.#chunks.length - 1;
    if (last >= this.#head && this.#chunks[last]!.length - this.#used >= count) {
      this.#chunks[last]!.set(source.subarray(start, end), this.#used);
      this.#used += count;
    } else {
      const large = count >= LARGE_BYTES || this.#length === 0; // A body of one frame is the common case.
      if (last >= this.#head) this.#chunks[last] = this.#chunks[last]!.subarray(0, this.#used);
      if (large) this.#chunks.push(source.slice(start, end));
      else {
        const room = Math.min(MAX_GATHER_BYTES, Math.max(MIN_GATHER_BYTES, count, this.#length));
        const gather = new Uint8Array(room);
        gather.set(source.subarray(start, end));
        this.#chunks.push(gather);
      }
      this.#used = count;
    }
    this.#length += count;
  }

  /** Hands over the oldest octets: as many as lie together. The array is the caller's. */
  take(): Uint8Array {
    if (this.#length === 0) return EMPTY;
    const last = this.#head === this.#chunks.length - 1;
    let chunk = this.#chunks[this.#head]!;
    if (last && this.#used < chunk.length) chunk = chunk.subarray(0, this.#used);
    this.#length -= chunk.length;
    if (last) {
      this.#chunks = [];
      this.#head = 0;
    } else this.#chunks[this.#head++] = EMPTY;
    return chunk;
  }

  /** Hands over all octets held, in one array that is the caller's. */
  takeAll(): Uint8Array {
    if (this.#head >= this.#chunks.length - 1) return this.take();
    const all = new Uint8Array(this.#length);
    for (let at = 0; at < all.length;) {
      const chunk = this.take();
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  /** Forgets all octets held. */
  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#length = 0;
  }
}
