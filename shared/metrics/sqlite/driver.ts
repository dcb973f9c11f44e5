import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Timer } from "../../runtime/mod.ts";
import { BatchWriter, type Queued } from "../batch_writer.ts";
import { checkDatabase, checkRetention } from "../databases.ts";
import { MetricsError } from "../errors.ts";
import { type FieldValue, type Point, seriesTags } from "../point.ts";
import { checkQuery, type MetricsQuery, type Series } from "../query.ts";
import type { MetricsDeps, MetricsStats, MetricsStore } from "../store.ts";
import { openDatabase } from "./database.ts";
import { readSeries } from "./read.ts";

/** How often what is too old is removed, in milliseconds. */
const SWEEP_MS = 60_000;

/** Most points removed at a time, so that a sweep holds nobody up. */
const SWEEP_POINTS = 5000;

/** Most series of all databases together: labels may come from devices, and a flood of them must not fill the disk. */
export const MAX_SERIES = 200_000;

/** Opens a metrics store in a file, or in memory. @throws MetricsError `open` */
export function openSqliteMetrics(path: string, deps: MetricsDeps, maxSeries = MAX_SERIES): MetricsStore {
  return new SqliteMetrics(openDatabase(path), deps, maxSeries);
}

class SqliteMetrics implements MetricsStore {
  readonly limits: readonly string[] = [];
  readonly #database: DatabaseSync;
  readonly #deps: MetricsDeps;
  readonly #writer: BatchWriter;
  readonly #maxSeries: number;
  readonly #statements: Record<"find" | "add" | "read" | "put", StatementSync>;
  #series: number;
  #sweeper: Timer | undefined;
  #closed = false;

  constructor(database: DatabaseSync, deps: MetricsDeps, maxSeries: number) {
    this.#database = database;
    this.#deps = deps;
    this.#maxSeries = maxSeries;
    this.#statements = {
      find: database.prepare("SELECT id FROM series WHERE database = ? AND measurement = ? AND tags = ?"),
      add: database.prepare("INSERT INTO series (database, measurement, tags) VALUES (?, ?, ?) RETURNING id"),
      read: database.prepare("SELECT fields FROM point WHERE series = ? AND time = ?"),
      put: database.prepare("INSERT OR REPLACE INTO point (series, time, fields) VALUES (?, ?, ?)"),
    };
    this.#series = Number(database.prepare("SELECT count(*) AS n FROM series").get()!["n"]);
    // deno-lint-ignore require-await -- as the writer's databases are elsewhere in other drivers
    this.#writer = new BatchWriter(async (batch) => this.#writeAll(batch), deps.clock, deps.log);
    this.#sweepLater(SWEEP_MS);
  }

  write(database: string, points: Iterable<Point>): void {
    checkDatabase(database);
    this.#writer.add(database, points);
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  // deno-lint-ignore require-await -- failures are to come as rejections
  async query(database: string, query: MetricsQuery): Promise<Series[]> {
    this.#requireOpen();
    checkDatabase(database);
    checkQuery(query);
    return readSeries(this.#database, database, query);
  }

  // deno-lint-ignore require-await -- failures are to come as rejections
  async setRetention(database: string, ms: number): Promise<void> {
    this.#requireOpen();
    checkDatabase(database);
    checkRetention(ms);
    if (ms === 0) this.#database.prepare("DELETE FROM retention WHERE database = ?").run(database);
    else this.#database.prepare("INSERT OR REPLACE INTO retention VALUES (?, ?)").run(database, ms);
    this.#sweepLater(0);
  }

  stats(): MetricsStats {
    return this.#writer.stats;
  }

  async close(graceMs = 5000): Promise<void> {
    if (this.#closed) return;
    this.#sweeper?.cancel();
    await this.#writer.close(graceMs);
    this.#closed = true;
    this.#database.close();
  }

  #requireOpen(): void {
    if (this.#closed) throw new MetricsError("closed", "The metrics store is closed");
  }

  #writeAll(batch: readonly Queued[]): number {
    let refused = 0;
    this.#database.exec("BEGIN");
    try {
      for (const { database, point } of batch) if (!this.#put(database, point)) refused++;
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
    return refused;
  }

  #put(database: string, { measurement, tags, fields, timeMs }: Point): boolean {
    const { find, add, read, put } = this.#statements;
    const text = JSON.stringify(seriesTags(tags));
    let id = find.get(database, measurement, text)?.["id"];
    if (id === undefined) {
      if (this.#series >= this.#maxSeries) return false;
      id = add.get(database, measurement, text)!["id"];
      this.#series++;
    }
    const time = Math.round(timeMs * 1000);
    const before = read.get(id!, time)?.["fields"];
    const merged = { ...(before === undefined ? {} : JSON.parse(String(before))), ...plain(fields) };
    put.run(id!, time, JSON.stringify(merged));
    return true;
  }

  #sweepLater(ms: number): void {
    this.#sweeper?.cancel();
    this.#sweeper = this.#deps.clock.setTimer(() => {
      let more = false;
      try {
        more = this.#sweep();
      } catch (error) {
        this.#deps.log.warn("Old metrics could not be removed", { error });
      }
      this.#sweepLater(more ? 0 : SWEEP_MS);
    }, ms);
  }

  /** Removes some of what is older than its database keeps; true when there may be more. */
  #sweep(): boolean {
    const now = this.#deps.clock.now();
    let left = SWEEP_POINTS;
    for (const { database, ms } of this.#database.prepare("SELECT database, ms FROM retention").all()) {
      const oldest = Math.round((now - Number(ms)) * 1000);
      for (const { id } of this.#database.prepare("SELECT id FROM series WHERE database = ?").all(String(database))) {
        const { changes } = this.#database.prepare(
          `DELETE FROM point WHERE series = ?1 AND time IN
             (SELECT time FROM point WHERE series = ?1 AND time < ?2 ORDER BY time LIMIT ?3)`,
        ).run(id!, oldest, left);
        left -= Number(changes);
        if (left <= 0) return true;
      }
    }
    if (left === SWEEP_POINTS) return false;
    const { changes } = this.#database.prepare(
      "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM point WHERE point.series = series.id)",
    ).run();
    this.#series -= Number(changes);
    return false;
  }
}

function plain(fields: Readonly<Record<string, FieldValue>>): Record<string, number | string | boolean> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value]),
  );
}
