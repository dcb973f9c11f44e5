/** Counts events against a burst and a rate. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #at: number;

  /**
   * @param burst Events allowed at once.
   * @param perSecond Events a second in the long run.
   * @param now Milliseconds of the clock that `take` is given.
   */
  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Counts one event; false when there were too many. */
  take(now: number): boolean {
    if (this.#tokens < 1) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
      this.#at = now;
      if (this.#tokens < 1) return false;
    } else if (this.#tokens === this.#burst) this.#at = now;
    this.#tokens--;
    return true;
  }

  /** Allows `events` more, up to the burst. */
  give(events: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + events);
  }
}
