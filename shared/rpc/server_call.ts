import type { RpcClock } from "./clock.ts";
import { type CallContext, chain, type Peer, type ServerInterceptor } from "./context.ts";
import { RpcError } from "./error.ts";
import type { AnyHandler } from "./handlers.ts";
import { MessageBatch } from "./message_batch.ts";
import { Metadata } from "./metadata.ts";
import type { Codec } from "./method.ts";
import { Status } from "./status.ts";
import type { CallEnd, IncomingCall } from "./transport.ts";

/** A method with its handler, as the server keeps it. */
export interface Route {
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly input: Codec<unknown>;
  readonly output: Codec<unknown>;
  readonly handler: AnyHandler | undefined;
  readonly interceptors: readonly ServerInterceptor[];
}

/** The transport's abort and the deadline may fire in either order; within this time of the deadline it was the deadline. */
const DEADLINE_SLACK_MS = 5;

/** Of the calls whose handlers add none. */
const NO_TRAILERS = new Metadata();

/** One running call: its context, its end for the peer, and the abort that ends it early. */
export class ServerCall implements CallContext {
  #values: Map<symbol, unknown> | undefined;
  #trailers: Metadata | undefined;
  readonly #call: IncomingCall;
  #abort: AbortController | undefined;
  #aborted: RpcError | undefined;
  #onAbort: ((reason: RpcError) => void) | undefined;
  #finished = false;
  #work: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;

  compress: boolean;

  constructor(call: IncomingCall, clock: RpcClock, compress: boolean) {
    this.#call = call;
    this.compress = compress;
    const { deadline } = call;
    call.onAbort((reason) => {
      const late = deadline !== undefined && clock.now() >= deadline - DEADLINE_SLACK_MS;
      this.#end(late ? deadlineExceeded() : reason);
    });
    if (deadline !== undefined) {
      this.#cancelTimer = clock.after(deadline - clock.now(), () => {
        const error = deadlineExceeded();
        this.finish({ code: error.code, message: error.message, trailers: new Metadata() });
        this.#end(error);
      });
    }
  }

  get method(): string {
    return this.#call.path;
  }

  get metadata(): Metadata {
    return this.#call.metadata;
  }

  header(name: string): string | undefined {
    return this.#call.header(name);
  }

  get requestEncoding(): string | undefined {
    return this.#call.requestEncoding;
  }

  get peer(): Peer {
    return this.#call.peer;
  }

  get deadline(): number | undefined {
    return this.#call.deadline;
  }

  get values(): Map<symbol, unknown> {
    return this.#values ??= new Map();
  }

  get trailers(): Metadata {
    return this.#trailers ??= new Metadata();
  }

  /** Made when first asked for: most unary handlers never look. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#aborted) this.#abort.abort(this.#aborted);
    }
    return this.#abort.signal;
  }

  sendHeaders(metadata: Metadata): void {
    if (!this.#finished) this.#call.sendHeaders(metadata, this.compress);
  }

  /** Ends the call for the peer, once. */
  finish(end: CallEnd): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#cancelTimer?.();
    this.#call.finish(end);
  }

  /** The same with status OK. */
  finishOk(): void {
    this.finish({ code: Status.OK, message: "", trailers: this.#trailers ?? NO_TRAILERS });
  }

  cut(reason: RpcError): void {
    if (this.#finished) return;
    this.#end(reason);
    this.#call.cut();
  }

  #end(reason: RpcError): void {
    if (this.#aborted) return;
    this.#aborted = reason;
    this.#finished = true;
    this.#cancelTimer?.();
    this.#abort?.abort(reason);
    this.#onAbort?.(reason);
  }

  /** The handler's own work while it goes on, which it may when the caller has gone; never rejects. */
  get work(): Promise<void> | undefined {
    return this.#work;
  }

  /** Runs the route to its end; rejects with an RpcError unless the call ended OK. */
  run(route: Route): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onAbort = reject;
      if (this.#aborted) reject(this.#aborted);
      this.#work = this.#serve(route).then(() => {
        this.#work = undefined;
        if (this.#aborted) reject(this.#aborted);
        else resolve();
      }, (error) => {
        this.#work = undefined;
        reject(this.#aborted ?? error);
      });
    });
  }

  async #serve(route: Route): Promise<void> {
    const { handler } = route;
    if (!handler) throw new RpcError(Status.UNIMPLEMENTED, `Method ${this.method} is not implemented`);
    const input = route.requestStream ? this.#requests(route.input) : await this.#request(route.input);
    const result = handler(input, this);
    if (route.responseStream) {
      await this.#respond(result as AsyncIterable<unknown>, route.output);
    } else {
      await this.#call.write(route.output.encode(await result), this.compress);
    }
  }

  async #request(codec: Codec<unknown>): Promise<unknown> {
    // A request is mostly there already: then nothing is waited for.
    const begun = this.#call.read();
    const first = begun instanceof Promise ? await begun : begun;
    if (first === undefined) throw new RpcError(Status.UNIMPLEMENTED, "One request message was expected, none came");
    const next = this.#call.read();
    const second = next instanceof Promise ? await next : next;
    if (second !== undefined) throw new RpcError(Status.UNIMPLEMENTED, "One request message was expected, more came");
    return decode(codec, first);
  }

  async *#requests(codec: Codec<unknown>): AsyncGenerator<unknown> {
    for (;;) {
      const message = await this.#call.read();
      if (this.#aborted) throw this.#aborted;
      if (message === undefined) return;
      yield decode(codec, message);
    }
  }

  async #respond(responses: AsyncIterable<unknown>, codec: Codec<unknown>): Promise<void> {
    const iterator = responses[Symbol.asyncIterator]();
    const { signal } = this;
    // Not awaited: a generator that waits elsewhere ends only when it gets to it.
    const stop = (): void => void Promise.resolve(iterator.return?.()).catch(() => {});
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        const next = await iterator.next();
        if (next.done || this.#finished) break;
        const { value } = next;
        const room = value instanceof MessageBatch
          ? this.#writeBatch(value)
          : this.#call.write(codec.encode(value), this.compress);
        if (room) await room;
      }
    } catch (error) {
      stop();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  #writeBatch(batch: MessageBatch): Promise<void> | void {
    if (this.compress || this.#call.writeFramed === undefined) return this.#writeEach(batch);
    return this.#call.writeFramed(batch.framed());
  }

  async #writeEach(batch: MessageBatch): Promise<void> {
    for (const message of batch.messages()) {
      if (this.#finished) return;
      const room = this.#call.write(message, this.compress);
      if (room) await room;
    }
  }
}

function decode(codec: Codec<unknown>, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    if (cause instanceof RpcError) throw cause;
    throw new RpcError(Status.INTERNAL, "The request message cannot be decoded", { cause });
  }
}

function deadlineExceeded(): RpcError {
  return new RpcError(Status.DEADLINE_EXCEEDED, "Deadline exceeded");
}

/** Runs a call through interceptors and handler and tells the peer how it ended. */
export async function runCall(
  call: ServerCall,
  route: Route,
  interceptors: readonly ServerInterceptor[],
  onError: (error: unknown, context: CallContext) => void,
): Promise<void> {
  try {
    if (interceptors.length + route.interceptors.length === 0) await call.run(route);
    else {
      await chain(interceptors, call, async () => {
        try {
          await chain(route.interceptors, call, () => call.run(route));
        } catch (error) {
          throw RpcError.from(error);
        }
      });
    }
    call.finishOk();
  } catch (thrown) {
    const error = RpcError.from(thrown);
    if (error.code === Status.INTERNAL || error.code === Status.UNKNOWN) onError(error.cause ?? error, call);
    const trailers = call.trailers.clone().merge(error.metadata);
    call.finish({ code: error.code, message: error.message, details: error.details, trailers });
  }
}
