import type { MetricsStore, Point, Selected, Series } from "../../../../shared/metrics/mod.ts";
import { downsampledDatabase, hours, MetricsDatabase } from "./databases.ts";

/** Spans of latencies, whose counts are summed. */
const BUCKETS = ["0s", "5ms", "10ms", "25ms", "50ms", "100ms"] as const;

/** How the fields of a measurement are combined (crosscutting specification 7.3). */
export const COMBINED: Readonly<Record<string, readonly Selected[]>> = {
  "latency-metric": [
    ...BUCKETS.map((field): Selected => ({ field, aggregate: "sum" })),
    { field: "min", aggregate: "min" },
    { field: "max", aggregate: "max" },
    { field: "total", aggregate: "sum" },
    { field: "numsamples", aggregate: "sum" },
  ],
  "device-metric": [{ field: "numsessions", aggregate: "sum" }],
};

/** Name of the sums of a measurement over spans of this length. */
export function downsampledName(measurement: string, intervalNs: number): string {
  return `${measurement}-${hours(intervalNs)}`;
}

/** A sum of the past: the interval it is made over, and how long it is kept, nanoseconds. */
export interface CollectionRule {
  readonly interval: number;
  readonly retention: number;
}

/** Spans that end in [fromMs, toMs): what is to be summed when so much time has passed. */
export function spansEnding(intervalMs: number, fromMs: number, toMs: number): [fromMs: number, toMs: number][] {
  const spans: [number, number][] = [];
  for (let end = Math.ceil(fromMs / intervalMs) * intervalMs; end < toMs; end += intervalMs) {
    if (end >= intervalMs) spans.push([end - intervalMs, end]);
  }
  return spans;
}

/** Sums up one span of all measurements. The same span summed again gives the same points. */
export async function downsample(
  store: MetricsStore,
  rule: CollectionRule,
  fromMs: number,
  toMs: number,
): Promise<void> {
  for (const [measurement, select] of Object.entries(COMBINED)) {
    const windowMs = toMs - fromMs;
    const series = await store.query(MetricsDatabase.edgeEvents, { measurement, select, fromMs, toMs, windowMs });
    const name = downsampledName(measurement, rule.interval);
    store.write(downsampledDatabase(rule.retention), series.flatMap((each) => pointsOf(each, name)));
  }
}

function pointsOf({ tags, columns, values }: Series, measurement: string): Point[] {
  return values.map(([timeMs, ...row]) => {
    const fields: Record<string, number | bigint> = {};
    row.forEach((value, at) => {
      const name = columns[at + 1]!;
      if (typeof value !== "number") return;
      fields[name] = name === "min" || name === "max" || name === "total" ? value : BigInt(Math.round(value));
    });
    const { total, numsamples } = fields;
    if (total !== undefined && numsamples) fields["avg"] = Number(total) / Number(numsamples);
    return { measurement, tags, fields, timeMs };
  });
}
