import type { MethodDefinition } from "../../../../shared/schema/mod.ts";
import {
  type CallOptions,
  type Channel,
  createClient,
  type Method,
  RpcError,
  Status,
} from "../../../../shared/rpc/mod.ts";
import { currentTraceparent } from "../../../../shared/telemetry/mod.ts";
import { ApiError } from "../http/api_error.ts";

/** Calls that answer once are given so long; long operations stream and are bound by their client alone. */
const UNARY_TIMEOUT_MS = 60_000;

/** On whose behalf a region is called. */
export interface RegionCaller {
  readonly username: string;
  readonly signal: AbortSignal;
  /** Request options, by the names of `RequestOption`. */
  readonly options?: Readonly<Record<string, string>>;
}

/**
 * Calls a region's API. What comes is a stream for every method; one that answers once gives one item.
 * @throws {RpcError}
 */
export async function* callRegion<I extends object, O extends object>(
  channel: Channel,
  method: MethodDefinition<I, O>,
  request: I,
  caller: RegionCaller,
): AsyncIterable<O> {
  const service = { name: method.path.split("/")[1]!, methods: { call: method as Method<unknown, unknown> } };
  const client = createClient(service, channel) as unknown as {
    call(request: I, options: CallOptions): Promise<O> | AsyncIterable<O>;
  };
  const traceparent = currentTraceparent();
  const metadata = {
    "x-archipelago-user": caller.username,
    ...(traceparent !== undefined && { traceparent }),
    ...caller.options,
  };
  if (method.responseStream) {
    yield* client.call(request, { metadata, signal: caller.signal }) as AsyncIterable<O>;
  } else {
    yield await client.call(request, { metadata, signal: caller.signal, timeoutMs: UNARY_TIMEOUT_MS }) as O;
  }
}

/** What a failed call of a region means for the caller: 400 with the status text alone (mc spec 1.8). */
export function regionError(region: string, error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const failure = RpcError.from(error);
  if (failure.code === Status.UNAVAILABLE) {
    return new ApiError(400, `Region ${region} is unavailable: ${failure.message}`, { cause: error });
  }
  return new ApiError(400, failure.message, { cause: error });
}
