import type { Clock } from "../clock.ts";

/** A clock that stands until it is told otherwise. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #ticks = new Set<{ readonly ms: number; at: number; readonly tick: () => void }>();

  now(): number {
    return this.#now;
  }

  every(ms: number, tick: () => void): () => void {
    const entry = { ms, at: this.#now + ms, tick };
    this.#ticks.add(entry);
    return () => this.#ticks.delete(entry);
  }

  /** Lets `ms` pass, in steps of half a second with what is due in each, and the work that follows from it. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    while (this.#now < end) {
      this.#now = Math.min(end, this.#now + 500);
      for (const entry of [...this.#ticks]) {
        if (entry.at > this.#now) continue;
        entry.at = this.#now + entry.ms;
        entry.tick();
      }
      await settle();
    }
  }
}

/** Lets everything that is ready to run do so: microtasks, and writes that wait for the end of their tick. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}
