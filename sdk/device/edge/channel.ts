/** How many values wait for a reader at most; older ones give way. */
const CAPACITY = 256;

/** Values for callbacks and for one reader at a time. What comes before the first reader waits for it. */
export class Channel<T> {
  readonly #callbacks = new Set<(value: T) => void>();
  #waiting: T[] = [];
  #reader: ((result: IteratorResult<T>) => void) | undefined;
  #closed = false;

  /** Adds a callback; what it throws is nobody's. Returns how to remove it. */
  listen(callback: (value: T) => void): () => void {
    this.#callbacks.add(callback);
    return () => void this.#callbacks.delete(callback);
  }

  /** Hands a value to all. */
  push(value: T): void {
    if (this.#closed) return;
    for (const callback of [...this.#callbacks]) {
      try {
        callback(value);
      } catch (error) {
        // As an event target does: reported, and of no consequence for the stream.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) return reader({ done: false, value });
    this.#waiting.push(value);
    if (this.#waiting.length > CAPACITY) this.#waiting.shift();
  }

  /** Ends the reading, after what is waiting. */
  close(): void {
    this.#closed = true;
    this.#reader?.({ done: true, value: undefined });
    this.#reader = undefined;
  }

  /** The next value. */
  next(): Promise<IteratorResult<T>> {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return Promise.resolve({ done: false, value: waiting });
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#reader?.({ done: true, value: undefined });
      this.#reader = resolve;
    });
  }
}
