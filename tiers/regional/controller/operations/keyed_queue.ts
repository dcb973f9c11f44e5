/** Runs tasks one at a time for each key, and of those that wait only the newest: for states, the last word counts. */
export class KeyedQueue {
  readonly #run: (task: () => Promise<void>) => Promise<void>;
  readonly #waiting = new Map<string, (() => Promise<void>) | undefined>();
  readonly #idle = new Set<() => void>();

  /** @param run runs a task to its end, with whatever retries it deserves; never rejects */
  constructor(run: (task: () => Promise<void>) => Promise<void>) {
    this.#run = run;
  }

  /** Queues a task; an older one of the key that has not begun is dropped. */
  submit(key: string, task: () => Promise<void>): void {
    const busy = this.#waiting.has(key);
    this.#waiting.set(key, task);
    if (!busy) void this.#drain(key);
  }

  /** Resolves when nothing is running or waiting. */
  async settled(): Promise<void> {
    if (this.#waiting.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  async #drain(key: string): Promise<void> {
    for (;;) {
      const task = this.#waiting.get(key);
      if (task === undefined) break;
      this.#waiting.set(key, undefined);
      await this.#run(task);
    }
    this.#waiting.delete(key);
    if (this.#waiting.size > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }
}
