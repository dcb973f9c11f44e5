import { BatchWriter, type Queued } from "../batch_writer.ts";
import { checkDatabase, checkRetention } from "../databases.ts";
import { MetricsError } from "../errors.ts";
import type { Point } from "../point.ts";
import { checkQuery, type MetricsQuery, type Series, type Value } from "../query.ts";
import type { MetricsDeps, MetricsStats, MetricsStore } from "../store.ts";
import { identifier, selectStatement, type Statement } from "./influxql.ts";
import { lineOf } from "./line_protocol.ts";

/** Longest wait for an answer, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** Spans of time that InfluxDB keeps together on the disk. */
const SHARD = "24h";

/** A metrics store on InfluxDB 1.x, by its HTTP API. */
export function openInfluxMetrics(base: string, deps: MetricsDeps): MetricsStore {
  return new InfluxMetrics(base, deps);
}

interface Answer {
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly {
      name: string;
      tags?: Record<string, string>;
      columns: string[];
      values: [number, ...Value[]][];
    }[];
  }[];
  readonly error?: string;
}

class InfluxMetrics implements MetricsStore {
  readonly limits: readonly string[] = ["retention is by the day, as InfluxDB drops whole shards"];
  readonly #base: string;
  readonly #deps: MetricsDeps;
  readonly #writer: BatchWriter;
  /** Databases and policies that are known to exist. */
  readonly #made = new Set<string>();
  #closed = false;

  constructor(base: string, deps: MetricsDeps) {
    this.#base = base;
    this.#deps = deps;
    this.#writer = new BatchWriter((batch) => this.#writeAll(batch), deps.clock, deps.log);
  }

  write(database: string, points: Iterable<Point>): void {
    checkDatabase(database);
    this.#writer.add(database, points);
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  async query(database: string, query: MetricsQuery): Promise<Series[]> {
    if (this.#closed) throw new MetricsError("closed", "The metrics store is closed");
    checkDatabase(database);
    checkQuery(query);
    await this.#make(database);
    const { name, policy } = parts(database);
    const found = await this.#ask(selectStatement(policy, query), name);
    return found.map(({ name, tags = {}, columns, values }) => ({
      measurement: name,
      tags: query.groupBy === undefined
        ? Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== ""))
        : tags,
      columns,
      values: inOrder(values, query),
    }));
  }

  async setRetention(database: string, ms: number): Promise<void> {
    if (this.#closed) throw new MetricsError("closed", "The metrics store is closed");
    checkDatabase(database);
    checkRetention(ms);
    await this.#make(database);
    const { name, policy } = parts(database);
    const duration = ms === 0 ? "INF" : `${Math.ceil(ms / 1000)}s`;
    // The shard of a policy may not be longer than what it keeps.
    const shard = ms !== 0 && ms < 86_400_000 ? "1h" : SHARD;
    const rule = `DURATION ${duration} SHARD DURATION ${shard}`;
    const which = `${identifier(policy ?? defaultPolicy(name))} ON ${identifier(name)}`;
    await this.#ask({ text: `ALTER RETENTION POLICY ${which} ${rule}`, params: {} });
  }

  stats(): MetricsStats {
    return this.#writer.stats;
  }

  async close(graceMs = 5000): Promise<void> {
    await this.#writer.close(graceMs);
    this.#closed = true;
  }

  async #writeAll(batch: readonly Queued[]): Promise<number> {
    let refused = 0;
    for (const [database, points] of Map.groupBy(batch, (queued) => queued.database)) {
      await this.#make(database);
      const { name, policy } = parts(database);
      const query = new URLSearchParams({ db: name, precision: "u", rp: policy ?? defaultPolicy(name) });
      const body = points.map(({ point }) => lineOf(point)).join("\n");
      const { status, text } = await this.#request(`/write?${query}`, body, "text/plain; charset=utf-8");
      if (status < 300) continue;
      const { error = "" } = parse(text);
      // It has taken what it could; the rest would be refused again.
      const dropped = /dropped=(\d+)/.exec(error);
      if (status !== 400) throw this.#refused(error, status, database);
      this.#deps.log.warn("InfluxDB refused metrics", { database, reason: error.slice(0, 500) });
      refused += Math.min(points.length, dropped === null ? points.length : Number(dropped[1]));
    }
    return refused;
  }

  /** Makes a database, and the policy of a part of it, once. */
  async #make(database: string): Promise<void> {
    if (this.#made.has(database)) return;
    const { name, policy } = parts(database);
    await this.#ask({ text: `CREATE DATABASE ${identifier(name)}`, params: {} });
    const rule = `DURATION INF REPLICATION 1 SHARD DURATION ${SHARD}`;
    for (const [each, mark] of [[defaultPolicy(name), " DEFAULT"], [policy, ""]] as const) {
      if (each === undefined) continue;
      const text = `CREATE RETENTION POLICY ${identifier(each)} ON ${identifier(name)} ${rule}${mark}`;
      try {
        await this.#ask({ text, params: {} });
      } catch (error) {
        // It is there, with another rule, which stays.
        if (!(error instanceof MetricsError && /already exists/.test(error.message))) throw error;
      }
    }
    this.#made.add(database);
  }

  async #ask(
    { text, params }: Statement,
    database?: string,
  ): Promise<NonNullable<NonNullable<Answer["results"]>[0]["series"]>> {
    const form = new URLSearchParams({ q: text, epoch: "u", params: JSON.stringify(params) });
    if (database !== undefined) form.set("db", database);
    const answer = await this.#request("/query", form.toString(), "application/x-www-form-urlencoded");
    const parsed = parse(answer.text);
    const error = parsed.error ?? parsed.results?.find((result) => result.error !== undefined)?.error;
    if (error !== undefined || answer.status >= 300) throw this.#refused(error ?? "", answer.status, database ?? "");
    return parsed.results?.[0]?.series ?? [];
  }

  #refused(error: string, status: number, database: string): MetricsError {
    if (/database not found/.test(error)) this.#made.delete(database);
    return new MetricsError(
      status >= 500 ? "unavailable" : "refused",
      `InfluxDB answered ${status}: ${error.slice(0, 500) || "no reason"}`,
    );
  }

  async #request(path: string, body: string, type: string): Promise<{ status: number; text: string }> {
    const account = await this.#deps.account?.();
    const headers: Record<string, string> = { "content-type": type };
    if (account !== undefined) {
      const bytes = new TextEncoder().encode(`${account.username}:${account.password}`);
      headers["authorization"] = `Basic ${bytes.toBase64()}`;
    }
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(this.#base + path, { method: "POST", headers, body, signal });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      throw new MetricsError("unavailable", `InfluxDB at ${this.#base} does not answer`, { cause: error });
    }
  }
}

function parts(database: string): { name: string; policy: string | undefined } {
  const [name, policy] = database.split("/") as [string, string?];
  return { name, policy };
}

function defaultPolicy(database: string): string {
  return `${database}_default`;
}

function parse(text: string): Answer {
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return { error: text.slice(0, 500) };
  }
}

/** Times in milliseconds, oldest first. */
function inOrder(values: readonly [number, ...Value[]][], { limit }: MetricsQuery): Series["values"] {
  const rows = values.map(([micros, ...row]): [number, ...Value[]] => [micros / 1000, ...row]);
  return limit === undefined ? rows : rows.reverse();
}
