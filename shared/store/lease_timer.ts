import type { StoreClock } from "./deps.ts";

/** Counts a lease down on this side. Calls `onExpire` once when nothing extended it in time. */
export class LeaseTimer {
  /** Settles when the timer has ended in whatever way. */
  readonly ended: Promise<void>;
  #resolveEnded!: () => void;
  #deadlineMs: number;
  readonly #stop = new AbortController();

  constructor(clock: StoreClock, ttlMs: number, onExpire: () => void) {
    this.ended = new Promise((resolve) => this.#resolveEnded = resolve);
    this.#deadlineMs = clock.now() + ttlMs;
    this.#run(clock, onExpire);
  }

  /** Whether the lease is over. */
  get over(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Moves the end to `deadlineMs` on the clock; has no effect when the timer has ended. */
  extendTo(deadlineMs: number): void {
    this.#deadlineMs = Math.max(this.#deadlineMs, deadlineMs);
  }

  /** Ends the timer without calling `onExpire`. */
  end(): void {
    this.#stop.abort();
    this.#resolveEnded();
  }

  async #run(clock: StoreClock, onExpire: () => void): Promise<void> {
    while (!this.over) {
      const leftMs = this.#deadlineMs - clock.now();
      if (leftMs <= 0) {
        this.end();
        onExpire();
        return;
      }
      await clock.sleep(leftMs, this.#stop.signal);
    }
  }
}
