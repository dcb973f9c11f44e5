import type { CallContext, ClientInterceptor, OutgoingContext, ServerInterceptor } from "../context.ts";
import { RpcError } from "../error.ts";
import { Status } from "../status.ts";

/** Header of the W3C trace context. */
const TRACEPARENT = "traceparent";

/** A span of a call, made by whoever knows how to trace. */
export interface CallSpan {
  /** W3C trace context of the span, which a client sends along. */
  readonly traceparent?: string;
  /** Runs the call inside the span. */
  run<T>(body: () => Promise<T>): Promise<T>;
  /** Ends the span; the error only when the status is not OK. */
  end(code: Status, error?: RpcError): void;
}

/** Makes a span for every call served; the caller's trace context, if it sent one, is handed in. */
export function traceServer(tracer: {
  start(context: CallContext, traceparent: string | undefined): CallSpan;
}): ServerInterceptor {
  return (context, next) => traced(tracer.start(context, context.header(TRACEPARENT)), next);
}

/** Makes a span for every call made and sends its trace context along. */
export function traceClient(tracer: { start(call: OutgoingContext): CallSpan }): ClientInterceptor {
  return (call, next) => {
    const span = tracer.start(call);
    if (span.traceparent !== undefined) call.metadata.set(TRACEPARENT, span.traceparent);
    return traced(span, next);
  };
}

async function traced(span: CallSpan, next: () => Promise<void>): Promise<void> {
  try {
    await span.run(next);
  } catch (thrown) {
    const error = RpcError.from(thrown);
    span.end(error.code, error);
    throw thrown;
  }
  span.end(Status.OK);
}
