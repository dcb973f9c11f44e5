/** Delays between tries to connect. */
export interface BackoffOptions {
  /** Bound of the first delay, ms. @default 250 */
  initialMs?: number;
  /** Largest bound, ms. @default 30 s */
  maxMs?: number;
}

/** Connections that lasted as long start from the first delay again, ms (spec services 1.15). */
const HEALTHY_MS = 60_000;

/** Exponential back-off with full jitter: each delay is random below a bound that doubles. */
export class Backoff {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  /** @param random from 0 up to, not including, 1. */
  constructor({ initialMs = 250, maxMs = 30_000 }: BackoffOptions, random: () => number) {
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** Delay before the next try, ms, after a connection that was up for `uptimeMs` (0: it never came up). */
  next(uptimeMs: number): number {
    if (uptimeMs >= HEALTHY_MS) this.#failures = 0;
    const bound = Math.min(this.#maxMs, this.#initialMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return Math.floor(this.#random() * bound);
  }
}
