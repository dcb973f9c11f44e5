import { AsyncLocalStorage } from "node:async_hooks";
import {
  context as otelContext,
  ProxyTracerProvider,
  type Span as OtelSpan,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { redactText } from "./redact.ts";
import { formatTraceparent, newContext, parseTraceparent, type TraceContext } from "./trace_context.ts";

/** Facts about a span. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A span's part in a call (OpenTelemetry SpanKind). */
export type SpanKindName = "server" | "client" | "internal" | "producer" | "consumer";

/** How a span is made. */
export interface SpanOptions {
  /** @default "internal" */
  readonly kind?: SpanKindName;
}

/** One piece of work in a trace. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  setAttribute(name: string, value: string | number | boolean): void;
  addEvent(name: string, attributes?: SpanAttributes): void;
}

const KINDS: Readonly<Record<SpanKindName, SpanKind>> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** What stands for a provider while there is none. */
const NO_PROVIDER = new ProxyTracerProvider().getDelegate();

/** Whether anybody takes spans. */
function isCollected(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider && provider.getDelegate() === NO_PROVIDER);
}

/** Where the running code is in its trace. It follows the code through awaits, which no parameter could. */
const place = new AsyncLocalStorage<TraceContext>();

/** The current place, for log lines. */
export function currentContext(): TraceContext | undefined {
  return place.getStore();
}

/** The `traceparent` to send with a call made here; undefined outside any trace. */
export function currentTraceparent(): string | undefined {
  const here = place.getStore();
  return here && formatTraceparent(here);
}

/** The trace that the running code belongs to. */
export function currentTraceId(): string | undefined {
  return place.getStore()?.traceId;
}

/** Runs `fn` as a part of the trace that a caller sent; of a new one when there was none or it is malformed. */
export function runWithTraceparent<T>(traceparent: string | undefined, fn: () => T): T {
  const here = (traceparent === undefined ? undefined : parseTraceparent(traceparent)) ?? newContext();
  return place.run(here, isCollected() ? () => otelContext.with(remoteParent(here), fn) : fn);
}

/**
 * Runs `fn` inside a span below the current place. Without a collector (`OTEL_DENO` unset) nothing is exported, but
 * the identifiers are made and carried all the same, so that log lines of one call can be found together.
 *
 * @throws What `fn` throws; the span then ends as failed.
 */
export async function withSpan<T>(
  name: string,
  attributes: SpanAttributes,
  fn: (span: Span) => T | Promise<T>,
  options: SpanOptions = {},
): Promise<T> {
  const parent = place.getStore();
  if (!isCollected()) {
    const here = newContext(parent);
    return await place.run(here, fn, { ...here, setAttribute() {}, addEvent() {} });
  }
  const above = parent ? remoteParent(parent) : otelContext.active();
  const span = trace.getTracer("archipelago").startSpan(
    name,
    { attributes, kind: KINDS[options.kind ?? "internal"] },
    above,
  );
  const here = contextOf(span, parent);
  const face: Span = {
    traceId: here.traceId,
    spanId: here.spanId,
    setAttribute: (key, value) => void span.setAttribute(key, value),
    addEvent: (event, values) => void span.addEvent(event, values),
  };
  try {
    return await place.run(here, () => otelContext.with(trace.setSpan(above, span), () => fn(face)));
  } catch (error) {
    const message = redactText(error instanceof Error ? error.message : String(error));
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    throw error;
  } finally {
    span.end();
  }
}

function remoteParent(at: TraceContext) {
  return trace.setSpanContext(otelContext.active(), {
    traceId: at.traceId,
    spanId: at.spanId,
    traceFlags: at.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  });
}

/** The span's own identifiers; a span that is not recorded only repeats its parent's, so it gets new ones here. */
function contextOf(span: OtelSpan, parent: TraceContext | undefined): TraceContext {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (!trace.isSpanContextValid(span.spanContext()) || spanId === parent?.spanId) return newContext(parent);
  return { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 };
}
