/** Runs work of the same key one after another, and refuses a key's work when too much of it waits. */
export class KeyedQueue {
  readonly #maxWaiting: number;
  readonly #tails = new Map<string, { waiting: number; last: Promise<unknown> }>();

  /** `maxWaiting` counts per key, the running one included. */
  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Runs `work` after all earlier work of the key; undefined when too much is waiting. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> | undefined {
    const tail = this.#tails.get(key) ?? { waiting: 0, last: Promise.resolve() };
    if (tail.waiting >= this.#maxWaiting) return undefined;
    tail.waiting++;
    const result = tail.last.then(work, work);
    tail.last = result;
    this.#tails.set(key, tail);
    const done = () => {
      tail.waiting--;
      if (tail.waiting === 0) this.#tails.delete(key);
    };
    result.then(done, done);
    return result;
  }
}
