import { runWithTraceparent, withSpan } from "../../../../shared/telemetry/mod.ts";

/** Header, and metadata key, of the W3C trace context. */
export const TRACEPARENT = "traceparent";

/**
 * Runs a call as a part of the caller's trace. Devices send no trace context, and their calls then cost nothing here.
 */
export function inTrace<T>(traceparent: string | null | undefined, name: string, run: () => Promise<T>): Promise<T> {
  if (!traceparent) return run();
  return runWithTraceparent(traceparent, () => withSpan(`dme ${name}`, {}, run, { kind: "server" }));
}
