import type { Clock } from "../../../../shared/runtime/mod.ts";
import { type Store, StoreError } from "../../../../shared/store/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { encodeRow } from "./rows.ts";

/** How the region's store does. */
export type StoreCondition = "well" | "slow" | "full" | "silent";

/** What people can do about a store that is not well. */
const REMEDIES: Readonly<Record<Exclude<StoreCondition, "well">, string>> = {
  slow: "look at the load and the disk of the machine that it is on",
  full: "free space on its disk; for etcd compact, defragment or raise its quota, then disarm its alarm",
  silent: "see that it runs and can be reached",
};

/** Probes in a row that must be slow for the store to be: one alone may have met a snapshot. */
const SLOW_PROBES = 2;

/** What {@linkcode StoreHealth} works with. */
export interface StoreHealthOptions {
  readonly store: Store;
  /** Identity of this controller, in whose row it writes. */
  readonly controller: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Pause between two probes, in milliseconds. */
  readonly intervalMs: number;
  /** Time of a small write above which the store is slow, in milliseconds. */
  readonly slowMs: number;
}

/**
 * Writes a small row now and then and says how that went: a store that is full or slow is noticed before callers are, and
 * one that works again as well. The row is none of the region's, so nobody is told of it.
 */
export class StoreHealth {
  readonly #options: StoreHealthOptions;
  readonly #stop = new AbortController();
  #condition: StoreCondition = "well";
  #detail = "";
  #slow = 0;
  #running: Promise<void> | undefined;

  constructor(options: StoreHealthOptions) {
    this.#options = options;
  }

  /** Begins to probe. */
  start(): void {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** How the store does, as of the last probe. */
  get condition(): StoreCondition {
    return this.#condition;
  }

  /** For readiness: what ails the store and what to do; undefined when it is well. */
  fault(): string | undefined {
    const condition = this.#condition;
    return condition === "well" ? undefined : `the store is ${condition} (${this.#detail}): ${REMEDIES[condition]}`;
  }

  /** One probe. */
  async probe(): Promise<void> {
    const { store, controller, clock, slowMs } = this.#options;
    const begin = clock.monotonic();
    const late = clock.setTimer(
      () => this.#say("silent", `a write has had no answer for ${slowMs * 5} ms`),
      slowMs * 5,
    );
    try {
      const value = encodeRow({ atMs: clock.now() });
      await store.transact([], [{ type: "put", key: `/probe/${controller}`, value }]);
      const tookMs = Math.round(clock.monotonic() - begin);
      this.#slow = tookMs > slowMs ? this.#slow + 1 : 0;
      if (this.#slow === 0) this.#say("well", `a write took ${tookMs} ms`);
      else if (this.#slow >= SLOW_PROBES) this.#say("slow", `a write took ${tookMs} ms, at most ${slowMs} ms are good`);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const isFull = error instanceof StoreError && error.reason === "full";
      this.#say(isFull ? "full" : "silent", error instanceof Error ? error.message : String(error));
    } finally {
      late.cancel();
    }
  }

  async #run(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    while (!this.#stop.signal.aborted) {
      await this.probe();
      await clock.sleep(intervalMs, this.#stop.signal).catch(() => {});
    }
  }

  #say(condition: StoreCondition, detail: string): void {
    const { log } = this.#options;
    const before = this.#condition;
    this.#condition = condition;
    this.#detail = detail;
    if (condition === before) return;
    if (condition === "well") log.info("Region store is well again", { before, detail });
    else log.error(`Region store is ${condition}`, { detail, remedy: REMEDIES[condition] });
  }
}
