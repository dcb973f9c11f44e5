/**
 * Work on keys: one task per key at a time, different keys in parallel. A key that is asked for again while its task
 * runs is worked on exactly once more.
 */
export class KeyWorkers {
  readonly #work: (key: string) => Promise<void>;
  readonly #running = new Map<string, { again: boolean }>();
  #waiting = new Set<string>();
  #paused = true;
  #idle: (() => void)[] = [];

  /** The work must not throw. Nothing is done before `resume`. */
  constructor(work: (key: string) => Promise<void>) {
    this.#work = work;
  }

  /** Number of keys whose task runs. */
  get active(): number {
    return this.#running.size;
  }

  /** Whether a key's task runs. */
  isRunning(key: string): boolean {
    return this.#running.has(key);
  }

  /** Asks for work on a key. */
  ask(key: string): void {
    if (this.#paused) {
      this.#waiting.add(key);
      return;
    }
    const running = this.#running.get(key);
    if (running) running.again = true;
    else this.#run(key);
  }

  /** Begins, with everything that was asked for meanwhile. */
  resume(): void {
    this.#paused = false;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const key of waiting) this.ask(key);
  }

  /** Starts nothing more; resolves when nothing runs. */
  async pause(): Promise<void> {
    this.#paused = true;
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #run(key: string): Promise<void> {
    const running = { again: true };
    this.#running.set(key, running);
    while (running.again) {
      if (this.#paused) {
        this.#waiting.add(key);
        break;
      }
      running.again = false;
      await this.#work(key);
    }
    this.#running.delete(key);
    if (this.#running.size === 0) {
      for (const idle of this.#idle.splice(0)) idle();
    }
  }
}
