/**
 * Time series of a region: points of measurements with tags and fields, written in batches, read by time, tags and
 * windows; on SQLite or InfluxDB.
 * @module
 */
export { MetricsError, type MetricsErrorReason } from "./errors.ts";
export { fillPrevious } from "./fill.ts";
export { METRIC_MESSAGE, metricOfPoint, type MetricSender, pointsOfBatch, sendPoints } from "./messages.ts";
export { openMetricsStore } from "./open.ts";
export { type FieldValue, type Point, pointFault } from "./point.ts";
export type { Aggregate, MetricsQuery, Selected, Series, Value } from "./query.ts";
export type { MetricsDeps, MetricsStats, MetricsStore } from "./store.ts";
export { type MetricsUrl, parseMetricsUrl } from "./url.ts";
