import { type RpcClock, systemRpcClock } from "../clock.ts";
import type { CallContext, Peer, ServerInterceptor } from "../context.ts";
import { RpcError } from "../error.ts";
import { Status } from "../status.ts";

/** What a log line of a call is made of. */
export interface CallRecord {
  readonly method: string;
  readonly peer: Peer;
  readonly code: Status;
  /** Public message of the status; empty for OK. */
  readonly message: string;
  readonly durationMs: number;
  /** Private reason of a failure. */
  readonly cause?: unknown;
  readonly context: CallContext;
}

/** Tells of every call when it has ended. */
export function logCalls(log: (record: CallRecord) => void, clock: RpcClock = systemRpcClock): ServerInterceptor {
  return async (context, next) => {
    const startedAt = clock.now();
    const tell = (code: Status, message: string, cause?: unknown): void =>
      log({
        method: context.method,
        peer: context.peer,
        code,
        message,
        durationMs: clock.now() - startedAt,
        cause,
        context,
      });
    try {
      await next();
    } catch (thrown) {
      const error = RpcError.from(thrown);
      tell(error.code, error.message, error.cause);
      throw error;
    }
    tell(Status.OK, "");
  };
}
