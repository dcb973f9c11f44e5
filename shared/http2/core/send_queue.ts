interface Waiter {
  readonly at: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Octets that a stream wants to send and may not yet; they stay in the caller's arrays. */
export class SendQueue {
  #chunks: Uint8Array[] = [];
  #head = 0;
  #offset = 0;
  #added = 0;
  #taken = 0;
  #waiters: Waiter[] = [];

  /** Octets queued. */
  get bytes(): number {
    return this.#added - this.#taken;
  }

  /** Appends octets; they must not change until they are sent. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#added += bytes.length;
  }

  /** Resolves when all that is queued now has been taken. */
  drained(): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => this.#waiters.push({ at: this.#added, resolve, reject }));
    promise.catch(() => {}); // Whoever does not wait hears of the end otherwise; it must not end the process.
    return promise;
  }

  /** Moves `count` octets to `target` from `at` on. */
  take(target: Uint8Array, at: number, count: number): void {
    this.#taken += count;
    while (count > 0) {
      const chunk = this.#chunks[this.#head]!;
      const part = Math.min(count, chunk.length - this.#offset);
      target.set(part === chunk.length ? chunk : chunk.subarray(this.#offset, this.#offset + part), at);
      at += part;
      count -= part;
      this.#offset += part;
      if (this.#offset === chunk.length) {
        this.#offset = 0;
        this.#chunks[this.#head++] = EMPTY;
      }
    }
    if (this.#head === this.#chunks.length) {
      this.#chunks = [];
      this.#head = 0;
    }
    let woken = 0;
    while (woken < this.#waiters.length && this.#waiters[woken]!.at <= this.#taken) this.#waiters[woken++]!.resolve();
    if (woken > 0) this.#waiters.splice(0, woken);
  }

  /** Drops what is queued; those who wait are told why. */
  abandon(error: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#chunks = [];
    this.#added = this.#taken;
    for (const waiter of waiters) waiter.reject(error);
  }
}

const EMPTY = new Uint8Array(0);
