/** The place in a trace that W3C Trace Context carries. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits, not all zero. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent` (W3C Trace Context level 1, 3.2); undefined when it is malformed. */
export function parseTraceparent(text: string): TraceContext | undefined {
  const [, version, traceId, spanId, flags, rest] = FORM.exec(text.trim()) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined;
  return { traceId: traceId!, spanId: spanId!, sampled: (Number.parseInt(flags!, 16) & 1) === 1 };
}

/** Writes a `traceparent` of version 00. */
export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled ? "01" : "00"}`;
}

/** The `traceparent` of a new trace. */
export function newTraceparent(): string {
  return formatTraceparent(newContext());
}

/** A new place: below `parent`, or in a trace of its own. */
export function newContext(parent?: TraceContext): TraceContext {
  return { traceId: parent?.traceId ?? randomHex(16), spanId: randomHex(8), sampled: parent?.sampled ?? true };
}

/** Identifiers only need to be unlikely to meet, so they come from the platform and not from an injected source. */
function randomHex(length: number): string {
  if (used + length > random.length) {
    crypto.getRandomValues(random);
    used = 0;
  }
  const bytes = random.subarray(used, used += length);
  bytes[length - 1]! |= 1; // never all zero
  return bytes.toHex();
}

/** Fetched many at a time, as each fetch leaves the engine. */
const random = new Uint8Array(4_096);
let used = random.length;
