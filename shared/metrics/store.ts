import type { Clock } from "../runtime/mod.ts";
import type { Logger } from "../telemetry/mod.ts";
import type { Point } from "./point.ts";
import type { MetricsQuery, Series } from "./query.ts";

/** What a driver works with. */
export interface MetricsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Account at the database, asked for at each request so that it can change. */
  readonly account?: () => Promise<{ username: string; password: string } | undefined>;
}

/** How the writing goes. */
export interface MetricsStats {
  /** Points that wait. */
  readonly queued: number;
  readonly written: number;
  /** Points that were dropped because the queue was full, they were none, or the database refused them. */
  readonly dropped: number;
  /** What ails the database; undefined: nothing. */
  readonly trouble?: string;
}

/**
 * Named databases of points. A database is `NAME`, or `NAME/POLICY` for a part of it that is kept for a time of its own;
 * it exists as soon as it is written to or kept.
 */
export interface MetricsStore {
  /**
   * Queues points and returns at once. They are written within a second or so; when the database is away they wait, and
   * when too many wait the oldest are dropped and counted.
   */
  write(database: string, points: Iterable<Point>): void;
  /** Resolves when all that was queued before is written, or could not be. */
  flush(): Promise<void>;
  /**
   * Reads what was written. What was queued a moment ago may be missing.
   * @throws MetricsError `invalid`, `unavailable` or `refused`
   */
  query(database: string, query: MetricsQuery): Promise<Series[]>;
  /**
   * Keeps points of a database for this many milliseconds, at least an hour; 0: for ever. Older ones go in the background.
   * @throws MetricsError as of `query`
   */
  setRetention(database: string, ms: number): Promise<void>;
  stats(): MetricsStats;
  /** What this driver does not do as asked, for the log at start; empty: nothing. */
  readonly limits: readonly string[];
  /** Writes what is queued, as far as that is possible within `graceMs`, and ends. Idempotent. */
  close(graceMs?: number): Promise<void>;
}
