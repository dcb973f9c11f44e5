const EMPTY = new Uint8Array(0);

/**
 * Octets received that nobody has taken yet, in one array that grows: many small frames cost what their octets cost, not an
 * object each.
 */
export class ReceiveBuffer {
  #bytes = EMPTY;
  #length = 0;

  /** Octets held. */
  get length(): number {
    return this.#length;
  }

  /** Appends a copy of `source[start, end)`. */
  append(source: Uint8Array, start: number, end: number): void {
    const needed = this.#length + end - start;
    if (this.#length === 0) this.#bytes = source.slice(start, end);
    else {
      if (needed > this.#bytes.length) {
        const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
        grown.set(this.#bytes.subarray(0, this.#length));
        this.#bytes = grown;
      }
      this.#bytes.set(source.subarray(start, end), this.#length);
    }
    this.#length = needed;
  }

  /** Hands over all octets held; the array is the caller's. */
  take(): Uint8Array {
    const taken = this.#length === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return taken;
  }
}
