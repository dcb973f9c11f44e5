import { type Clock, sleepOn, type Timer } from "./clock.ts";

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly handler: () => void;
}

/**
 * Turns of the event loop given to promise chains between two timers. Some library calls (streams, WebCrypto) need
 * real turns of the loop, so these are macrotasks and not only microtasks.
 */
const SETTLE_TURNS = 3;

/** A clock that moves only when a test says so. */
export class FakeClock implements Clock {
  readonly sleep = sleepOn((handler, ms) => this.setTimer(handler, ms));
  readonly #pending = new Set<Pending>();
  #nowMs: number;
  #elapsedMs = 0;
  #order = 0;

  /** @param startMs The wall-clock time it begins at, epoch milliseconds. */
  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  /** Timers that have not run yet. */
  get pending(): number {
    return this.#pending.size;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimer(handler: () => void, ms: number): Timer {
    const entry: Pending = { dueMs: this.#elapsedMs + Math.max(0, ms), order: this.#order++, handler };
    this.#pending.add(entry);
    const cancel = () => void this.#pending.delete(entry);
    return { cancel, [Symbol.dispose]: cancel };
  }

  /** Moves time forward by `ms`, running due timers in order and letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#nextDue(targetMs); next !== undefined; next = this.#nextDue(targetMs)) {
      this.#moveTo(next.dueMs);
      this.#pending.delete(next);
      next.handler();
      await settle();
    }
    this.#moveTo(targetMs);
    await settle();
  }

  #nextDue(untilMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const entry of this.#pending) {
      if (entry.dueMs > untilMs) continue;
      if (!first || entry.dueMs < first.dueMs || (entry.dueMs === first.dueMs && entry.order < first.order)) {
        first = entry;
      }
    }
    return first;
  }

  #moveTo(elapsedMs: number): void {
    this.#nowMs += Math.max(0, elapsedMs - this.#elapsedMs);
    this.#elapsedMs = Math.max(this.#elapsedMs, elapsedMs);
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}
