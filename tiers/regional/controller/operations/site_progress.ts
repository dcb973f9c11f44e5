import type { Clock, Timer } from "../../../../shared/runtime/mod.ts";
import { StatusInfo, toJson } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import type { AnyKind } from "../faults.ts";
import { PROGRESS_PAUSE_MS } from "../limits.ts";
import type { Region } from "../state/region.ts";
import { siteProgressRow } from "../state/rows.ts";

/**
 * Passes on, through the store, what sites that are connected here report of operations that another controller runs.
 * Reports hold all lines that matter, so of several in a short time only the last is written.
 */
export class SiteProgress {
  readonly #region: Region;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #waiting = new Map<string, { status: StatusInfo; timer: Timer }>();

  constructor(region: Region, clock: Clock, log: Logger) {
    this.#region = region;
    this.#clock = clock;
    this.#log = log;
  }

  /** Passes a report on, a little later. */
  forward(kind: AnyKind, keyString: string, status: StatusInfo): void {
    const name = siteProgressRow(kind, keyString);
    const waiting = this.#waiting.get(name);
    if (waiting) {
      waiting.status = status;
      return;
    }
    const timer = this.#clock.setTimer(() => void this.#write(kind, keyString, name), PROGRESS_PAUSE_MS);
    this.#waiting.set(name, { status, timer });
  }

  /** Drops what waits. */
  close(): void {
    for (const { timer } of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
  }

  async #write(kind: AnyKind, keyString: string, name: string): Promise<void> {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    if (waiting === undefined || this.#region.cache.operation(kind, keyString) === undefined) return;
    try {
      await this.#region.change((tx) => {
        tx.putRow(name, toJson(StatusInfo, waiting.status, "store"));
        return Promise.resolve();
      });
    } catch (error) {
      this.#log.debug("Progress of a site could not be passed on", { object: keyString, error });
    }
  }
}
