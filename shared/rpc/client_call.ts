import type { Channel } from "./channel.ts";
import { chain, type ClientInterceptor, type OutgoingContext } from "./context.ts";
import { RpcError } from "./error.ts";
import { Metadata, type MetadataInit } from "./metadata.ts";
import type { Method } from "./method.ts";
import { Status } from "./status.ts";
import type { CallEnd, OutgoingCall } from "./transport.ts";

/** How one call is made. */
export interface CallOptions {
  /** Cancels the call. */
  signal?: AbortSignal;
  /** The call fails with DEADLINE_EXCEEDED after it, ms. */
  timeoutMs?: number;
  /** Request headers. */
  metadata?: MetadataInit;
  /** Waits for a connection until the deadline instead of failing with UNAVAILABLE. */
  waitForReady?: boolean;
  /** Compresses requests with gzip; a server that does not know it answers UNIMPLEMENTED. @default the client's */
  compress?: boolean;
  /** Takes the response headers. */
  onHeaders?: (metadata: Metadata) => void;
  /** Takes the response trailers, whatever the status. */
  onTrailers?: (metadata: Metadata) => void;
}

/** What all calls of a client share. */
export interface ClientDefaults {
  metadata?: MetadataInit;
  timeoutMs?: number;
  compress?: boolean;
  /** Around every call, outermost first. */
  interceptors?: readonly ClientInterceptor[];
}

/** One call of a client, from its options to its end. */
export class ClientCall {
  readonly #method: Method<unknown, unknown>;
  readonly #channel: Channel;
  readonly #options: CallOptions;
  readonly #context: OutgoingContext;
  readonly #interceptors: readonly ClientInterceptor[];
  readonly #compress: boolean;

  constructor(method: Method<unknown, unknown>, channel: Channel, defaults: ClientDefaults, options: CallOptions) {
    const metadata = new Metadata(defaults.metadata);
    if (options.metadata) metadata.merge(new Metadata(options.metadata));
    const timeoutMs = options.timeoutMs ?? defaults.timeoutMs;
    this.#method = method;
    this.#channel = channel;
    this.#options = options;
    this.#interceptors = defaults.interceptors ?? [];
    this.#compress = options.compress ?? defaults.compress ?? false;
    this.#context = {
      method: method.path,
      metadata,
      deadline: timeoutMs === undefined ? undefined : channel.clock.now() + timeoutMs,
      values: new Map(),
    };
  }

  /** Calls a method with one response. */
  async single(input: unknown): Promise<unknown> {
    let response: unknown;
    let called = false;
    await chain(this.#interceptors, this.#context, async () => {
      called = true;
      const call = this.#start(input);
      const message = await call.read();
      const more = message === undefined ? undefined : await call.read();
      if (more !== undefined) {
        const error = new RpcError(Status.UNIMPLEMENTED, "One response message was expected, more came");
        call.cancel(error);
        throw error;
      }
      this.#check(await call.ended);
      if (message === undefined) {
        throw new RpcError(Status.UNIMPLEMENTED, "One response message was expected, none came");
      }
      response = this.#decode(message);
    });
    if (!called) throw skipped();
    return response;
  }

  /** Calls a method with a stream of responses; the call starts when the first one is asked for. */
  async *stream(input: unknown): AsyncGenerator<unknown> {
    const started = Promise.withResolvers<OutgoingCall>();
    const finished = chain(this.#interceptors, this.#context, async () => {
      const call = this.#start(input);
      started.resolve(call);
      this.#check(await call.ended);
    });
    finished.then(() => started.reject(skipped()), started.reject);
    const call = await started.promise;
    let reason = new RpcError(Status.CANCELLED, "Cancelled by the caller");
    try {
      for (;;) {
        const message = await call.read();
        if (message === undefined) break;
        try {
          yield this.#decode(message);
        } catch (error) {
          reason = RpcError.from(error);
          throw error;
        }
      }
      await finished;
    } finally {
      call.cancel(reason);
      finished.catch(() => {});
    }
  }

  #start(input: unknown): OutgoingCall {
    const { signal, waitForReady = false, onHeaders } = this.#options;
    if (signal?.aborted) throw cancelled(signal);
    const context = this.#context;
    const call = this.#channel.start(this.#method.path, {
      metadata: context.metadata,
      deadline: context.deadline,
      waitForReady,
      compress: this.#compress,
      onHeaders: (metadata) => {
        context.headers = metadata;
        onHeaders?.(metadata);
      },
    });
    const clock = this.#channel.clock;
    const cancelTimer = context.deadline === undefined ? undefined : clock.after(
      context.deadline - clock.now(),
      () => call.cancel(new RpcError(Status.DEADLINE_EXCEEDED, "Deadline exceeded")),
    );
    const onAbort = (): void => call.cancel(cancelled(signal!));
    signal?.addEventListener("abort", onAbort, { once: true });
    const ended = call.ended.then((end) => {
      cancelTimer?.();
      signal?.removeEventListener("abort", onAbort);
      context.trailers = end.trailers;
      this.#options.onTrailers?.(end.trailers);
    });
    if (this.#method.requestStream) this.#pump(input as AsyncIterable<unknown>, call, ended);
    else this.#sendOne(input, call);
    return call;
  }

  #sendOne(input: unknown, call: OutgoingCall): void {
    try {
      call.write(this.#method.input.encode(input));
      call.halfClose();
    } catch (error) {
      call.cancel(RpcError.from(error));
      throw error;
    }
  }

  async #pump(requests: AsyncIterable<unknown>, call: OutgoingCall, ended: Promise<void>): Promise<void> {
    const iterator = requests[Symbol.asyncIterator]();
    let over = false;
    ended.then(() => {
      if (over) return;
      over = true;
      // Not awaited: a generator that waits elsewhere ends only when it gets to it.
      Promise.resolve(iterator.return?.()).catch(() => {});
    });
    try {
      while (!over) {
        const next = await iterator.next();
        if (over) return;
        if (next.done) {
          over = true;
          call.halfClose();
          return;
        }
        const room = call.write(this.#method.input.encode(next.value));
        if (room) await room;
      }
    } catch (error) {
      over = true;
      call.cancel(RpcError.from(error));
    }
  }

  #decode(message: Uint8Array): unknown {
    try {
      return this.#method.output.decode(message);
    } catch (cause) {
      throw new RpcError(Status.INTERNAL, "The response message cannot be decoded", { cause });
    }
  }

  #check(end: CallEnd): void {
    if (end.code === Status.OK) return;
    throw new RpcError(end.code, end.message, { details: end.details, metadata: end.trailers });
  }
}

function cancelled(signal: AbortSignal): RpcError {
  const { reason } = signal;
  if (reason instanceof RpcError) return reason;
  if (reason instanceof Error && reason.name === "TimeoutError") return RpcError.from(reason);
  return new RpcError(Status.CANCELLED, "Cancelled by the caller", { cause: reason });
}

function skipped(): RpcError {
  return new RpcError(Status.INTERNAL, "Internal error", {
    cause: new Error("A client interceptor did not call next"),
  });
}
