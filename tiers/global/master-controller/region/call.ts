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

/**
 * Calls every controller of a region at once and passes on what comes from whom first. The answers of the others are not
 * lost with one that fails: its failure comes last.
 * @throws {RpcError}
 */
export async function* callEach<I extends object, O extends object>(
  channels: readonly Channel[],
  method: MethodDefinition<I, O>,
  request: I,
  caller: RegionCaller,
): AsyncIterable<O> {
  // Whoever leaves early leaves all of them.
  const leave = new AbortController();
  const signal = AbortSignal.any([caller.signal, leave.signal]);
  const calls = channels.map((channel) =>
    callRegion(channel, method, request, { ...caller, signal })[Symbol.asyncIterator]()
  );
  const failures: unknown[] = [];
  const next = (index: number) =>
    calls[index]!.next().then((result) => ({ index, result }), (error) => {
      failures.push(error);
      return { index, result: undefined };
    });
  const waiting = new Map(calls.map((_, index) => [index, next(index)]));
  try {
    while (waiting.size > 0) {
      const { index, result } = await Promise.race(waiting.values());
      if (result === undefined || result.done) waiting.delete(index);
      else {
        waiting.set(index, next(index));
        yield result.value;
      }
    }
  } finally {
    leave.abort();
  }
  // One that only says that it is not the one to be asked says least.
  const told = failures.find((failure) => RpcError.from(failure).code !== Status.UNAVAILABLE);
  if (failures.length > 0) throw told ?? failures[0];
}

/** What one controller of a region has answered. */
export interface ControllerAnswer {
  /** All that came of it, also before it failed. */
  readonly replies: readonly object[];
  readonly failure?: RpcError;
}

/** Calls every controller of a region at once and waits for all of them. */
export async function gatherEach(
  channels: readonly Channel[],
  method: MethodDefinition,
  request: object,
  caller: RegionCaller,
): Promise<ControllerAnswer[]> {
  return await Promise.all(channels.map(async (channel) => {
    const replies: object[] = [];
    try {
      for await (const reply of callRegion(channel, method, request, caller)) replies.push(reply);
      return { replies };
    } catch (error) {
      return { replies, failure: RpcError.from(error) };
    }
  }));
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
