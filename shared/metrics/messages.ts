import { type Metric, MetricBatch, type MetricVal } from "../schema/mod.ts";
import type { FieldValue, Point } from "./point.ts";

/** Sends one message to the parent; false when it did not fit or there is no parent. */
export interface MetricSender {
  send(type: string, value: Uint8Array): boolean;
}

/** Type of the messages in which points travel. */
export const METRIC_MESSAGE = "MetricBatch";

/** Points of one message. */
const BATCH_POINTS = 500;

/** A point as it travels. */
export function metricOfPoint({ measurement, tags, fields, timeMs }: Point): Metric {
  const seconds = Math.floor(timeMs / 1000);
  return {
    name: measurement,
    timestamp: { seconds, nanos: Math.round((timeMs - seconds * 1000) * 1e6) },
    tags: Object.entries(tags).map(([name, val]) => ({ name, val })),
    vals: Object.entries(fields).map(([name, value]) => metricVal(name, value)),
  };
}

function metricVal(name: string, value: FieldValue): MetricVal {
  return {
    name,
    dval: typeof value === "number" ? value : undefined,
    ival: typeof value === "bigint" ? Number(value) : undefined,
    bval: typeof value === "boolean" ? value : undefined,
    sval: typeof value === "string" ? value : undefined,
  };
}

/** The points of a message. @throws DecodeError */
export function pointsOfBatch(bytes: Uint8Array): Point[] {
  return MetricBatch.decode(bytes).metrics.map(({ name, timestamp, tags, vals }) => ({
    measurement: name,
    timeMs: timestamp === undefined ? -1 : timestamp.seconds * 1000 + timestamp.nanos / 1e6,
    tags: Object.fromEntries(tags.map(({ name, val }) => [name, val])),
    fields: Object.fromEntries(
      vals.map((val): [string, FieldValue] => [val.name, fieldValue(val)]),
    ),
  }));
}

function fieldValue({ dval, ival, bval, sval }: MetricVal): FieldValue {
  return dval ?? (ival === undefined ? undefined : BigInt(Math.trunc(ival))) ?? bval ?? sval ?? 0;
}

/** Sends points to the parent, in order, until one message does not fit. Returns how many of the last were not sent. */
export function sendPoints(sender: MetricSender, points: readonly Point[]): number {
  for (let at = 0; at < points.length; at += BATCH_POINTS) {
    const part = points.slice(at, at + BATCH_POINTS);
    const bytes = MetricBatch.encode({ metrics: part.map(metricOfPoint) });
    if (!sender.send(METRIC_MESSAGE, bytes)) return points.length - at;
  }
  return 0;
}
