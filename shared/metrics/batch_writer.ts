import type { Clock, Timer } from "../runtime/mod.ts";
import type { LogFields, Logger } from "../telemetry/mod.ts";
import { type Point, pointFault } from "./point.ts";

/** Points that wait for this long are written, in milliseconds (controller specification 8.1). */
const FLUSH_MS = 1000;

/** So many points are written at once without waiting. */
const FLUSH_POINTS = 50;

/** Most points that wait; of more, the oldest are dropped. */
const MAX_QUEUED = 5000;

/** Pause after a failure, in milliseconds. */
const RETRY_MS = 10_000;

/** A point and where it goes. */
export interface Queued {
  readonly database: string;
  readonly point: Point;
}

/** Writes points of any databases. Returns how many the database refused for good; throws when it is worth another try. */
export type WriteBatch = (batch: readonly Queued[]) => Promise<number>;

/** A bounded queue in front of a database: points are written in batches, and kept while the database is away. */
export class BatchWriter {
  readonly #write: WriteBatch;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  #waiting: Queued[] = [];
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #trouble: string | undefined;
  #written = 0;
  #dropped = 0;

  constructor(write: WriteBatch, clock: Clock, log: Logger) {
    this.#write = write;
    this.#clock = clock;
    this.#log = log;
  }

  get stats(): { queued: number; written: number; dropped: number; trouble?: string } {
    return { queued: this.#waiting.length, written: this.#written, dropped: this.#dropped, trouble: this.#trouble };
  }

  add(database: string, points: Iterable<Point>): void {
    for (const point of points) {
      const fault = this.#stop.signal.aborted ? "the store is closed" : pointFault(point);
      if (fault === undefined) this.#waiting.push({ database, point });
      else this.#drop(1, { reason: fault });
    }
    const excess = this.#waiting.length - MAX_QUEUED;
    if (excess > 0) {
      this.#waiting.splice(0, excess);
      this.#drop(excess, { reason: "the database does not keep up" });
    }
    if (this.#running !== undefined || this.#waiting.length === 0) return;
    // After a failure the next try is made by the clock, however many wait.
    if (this.#waiting.length >= FLUSH_POINTS && this.#trouble === undefined) void this.flush();
    else this.#timer ??= this.#clock.setTimer(() => void this.flush(), FLUSH_MS);
  }

  /** Resolves when what is queued is written, or the database failed. */
  flush(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#waiting.length === 0 || this.#stop.signal.aborted) return;
      this.#timer = this.#clock.setTimer(() => void this.flush(), this.#trouble === undefined ? FLUSH_MS : RETRY_MS);
    });
    return this.#running;
  }

  /** Writes what is queued within `graceMs` and takes nothing more. */
  async close(graceMs: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#timer?.cancel();
    const grace = new AbortController();
    const waited = this.#clock.sleep(graceMs, grace.signal).catch(() => {});
    await Promise.race([this.flush(), waited]);
    grace.abort();
    this.#stop.abort();
    this.#timer?.cancel();
    if (this.#waiting.length > 0) this.#drop(this.#waiting.length, { reason: "the store is closed" });
    this.#waiting = [];
  }

  async #run(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const refused = await this.#write(batch);
        this.#written += batch.length - refused;
        if (refused > 0) this.#drop(refused, { reason: "the database refused them" });
        if (this.#trouble !== undefined) this.#log.info("Metrics are written again");
        this.#trouble = undefined;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (this.#trouble === undefined) this.#log.warn("Metrics cannot be written, they wait", { reason: message });
        this.#trouble = message;
        this.#waiting = [...batch, ...this.#waiting];
        const excess = this.#waiting.length - MAX_QUEUED;
        if (excess > 0) {
          this.#waiting.splice(0, excess);
          this.#drop(excess, { reason: "the database does not answer" });
        }
        return;
      }
    }
  }

  #drop(count: number, fields: LogFields): void {
    // The first, then each time their number has doubled: a flood must not become a flood of lines.
    const before = this.#dropped;
    this.#dropped += count;
    if (before === 0 || Math.floor(Math.log2(before)) !== Math.floor(Math.log2(this.#dropped))) {
      this.#log.warn("Metrics dropped", { ...fields, dropped: this.#dropped });
    }
  }
}
