/**
 * Logs, traces and metrics of every process: structured lines that never carry secrets, W3C trace context across
 * calls, and an OpenMetrics registry.
 *
 * @module
 */
export type { LogFields, LogFormat, Logger, LoggerOptions, LogLevel, LogSink, LogTopics } from "./logger.ts";
export { createLogger, logLevels, nullLogger } from "./logger.ts";
export type { LogRecord, MemoryLogger } from "./memory_logger.ts";
export { memoryLogger } from "./memory_logger.ts";
export type { JsonValue } from "./redact.ts";
export { hideSecrets, isSecretName, redact, redactText } from "./redact.ts";
export type { ErrorFields } from "./error_fields.ts";
export { errorFields } from "./error_fields.ts";
export type { TraceContext } from "./trace_context.ts";
export { newTraceparent, parseTraceparent } from "./trace_context.ts";
export type { Span, SpanAttributes, SpanKindName, SpanOptions } from "./spans.ts";
export { currentTraceId, currentTraceparent, runWithTraceparent, withSpan } from "./spans.ts";
export type {
  Counter,
  Gauge,
  Histogram,
  HistogramOptions,
  Labels,
  MetricOptions,
  Metrics,
  Observed,
} from "./metrics.ts";
export { createMetrics, OPENMETRICS_CONTENT_TYPE } from "./metrics.ts";
