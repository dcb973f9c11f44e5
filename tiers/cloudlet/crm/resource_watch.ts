import type { Clock, Timer } from "../../../shared/runtime/mod.ts";

/** How often the infrastructure is looked at although nothing changed here: others may use it too. */
const INTERVAL_MS = 10 * 60_000;
/** Changes that come within this time are looked at together. */
const SETTLE_MS = 200;

/** Looks at what the infrastructure has in use from time to time, and soon after changes; one look at a time. */
export class ResourceWatch {
  readonly #clock: Clock;
  readonly #look: () => Promise<void>;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #running = false;

  /** @param look must not throw */
  constructor(clock: Clock, look: () => Promise<void>) {
    this.#clock = clock;
    this.#look = look;
  }

  start(): void {
    this.#running = true;
    this.#after(INTERVAL_MS);
  }

  /** Something was made, changed or removed. */
  changed(): void {
    if (!this.#running) return;
    if (this.#looking) this.#again = true;
    else this.#after(SETTLE_MS);
  }

  /** Waits for a look that is under way. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    await this.#looking;
  }

  #after(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(() => {
      this.#again = false;
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
        if (this.#running) this.#after(this.#again ? SETTLE_MS : INTERVAL_MS);
      });
    }, delayMs);
  }
}
