import type { Clock, Timer } from "../../../../shared/runtime/mod.ts";
import { fromJson, StatusInfo } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { PROGRESS_PAUSE_MS } from "../limits.ts";
import type { Region } from "../state/region.ts";
import { progressRow, siteProgressRow } from "../state/rows.ts";
import { progressValue } from "./progress_row.ts";
import type { RunningOperation } from "./running.ts";

/**
 * Keeps an operation's progress in the store while it runs, for readers at other controllers, and takes in what its site
 * reports to another controller. Lines are written together, at most one row in PROGRESS_PAUSE_MS, so that what is over
 * quickly costs no write of its own.
 */
export class ProgressWriter {
  readonly #operation: RunningOperation;
  readonly #region: Region;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #unwatch: () => void;
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #ended = false;
  /** Number of lines up to the last one written. */
  #wrote = 0;
  /** Whether a site's report came by way of the store, whose row then has to go. */
  siteRowSeen = false;

  constructor(operation: RunningOperation, region: Region, clock: Clock, log: Logger) {
    this.#operation = operation;
    this.#region = region;
    this.#clock = clock;
    this.#log = log;
    const { kind, keyString } = operation.target;
    operation.progress.onLine = () => this.#schedule();
    this.#unwatch = region.cache.watchRow(siteProgressRow(kind, keyString), (value) => {
      if (value === undefined) return;
      this.siteRowSeen = true;
      operation.progress.report(fromJson(StatusInfo, value, "store"));
    });
  }

  /** Writes nothing any more. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#unwatch();
    this.#timer?.cancel();
    await this.#writing;
  }

  #schedule(): void {
    if (this.#ended || this.#timer !== undefined) return;
    this.#timer = this.#clock.setTimer(() => {
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        this.#timer = undefined;
        if (this.#wrote < this.#lines()) this.#schedule();
      });
    }, PROGRESS_PAUSE_MS);
  }

  #lines(): number {
    const { dropped, lines } = this.#operation.progress.stored();
    return dropped + lines.length;
  }

  async #write(): Promise<void> {
    const { progress, target, row } = this.#operation;
    if (row === undefined || this.#operation.released) return;
    const lines = progress.stored();
    try {
      await this.#region.change(async (tx) => {
        await this.#operation.hold(tx);
        const name = progressRow(target.kind, target.keyString);
        tx.putRow(name, progressValue(row.stream, row.action, lines, undefined));
      });
    } catch (error) {
      // The readers here have the lines; the others get them with the next writing.
      this.#log.debug("Progress could not be stored", { object: target.keyString, error });
    }
    this.#wrote = lines.dropped + lines.lines.length;
  }
}
