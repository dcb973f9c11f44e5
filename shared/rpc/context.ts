import type { RpcError } from "./error.ts";
import type { Metadata } from "./metadata.ts";

/** The other end of a server's connection. */
export interface Peer {
  /** Remote IP address. */
  readonly address: string;
  /** Remote port. */
  readonly port: number;
  /** Certificates in DER, leaf first, of a chain that the transport has verified; absent without a client certificate. */
  readonly certificates?: readonly Uint8Array[];
  /** Who the peer is, set by an interceptor such as `authenticate`. */
  identity?: unknown;
}

/** What a handler knows of its call, and how it answers beside the messages. */
export interface CallContext {
  /** Request path, e.g. `/archipelago.AppApi/CreateApp`. */
  readonly method: string;
  /** Request headers. */
  readonly metadata: Metadata;
  /** First value of a request header that is text: cheaper than all the metadata. @param name in lower case */
  header(name: string): string | undefined;
  readonly peer: Peer;
  /** When the caller stops waiting, ms since 1970. */
  readonly deadline?: number;
  /** Aborts when the caller cancels, its connection is lost or the deadline passes; the reason is an RpcError. */
  readonly signal: AbortSignal;
  /** Compression that the caller announced for its messages; undefined where the transport does not tell. */
  readonly requestEncoding?: string;
  /**
   * Whether messages sent from now on are compressed with gzip, if the caller takes it and they become smaller. What it
   * is when the headers leave decides whether any message of the call can be. @default the server's option
   */
  compress: boolean;
  /**
   * Ends the call at once, for a caller that takes nothing: what waits to be sent is dropped, and the stream is reset,
   * which the caller sees as RESOURCE_EXHAUSTED whatever `reason` is. Here the call ends with `reason`.
   */
  cut(reason: RpcError): void;
  /** Sends response headers now; only once, and before the first message. */
  sendHeaders(metadata: Metadata): void;
  /** Sent with the status at the end; a handler adds to it. */
  readonly trailers: Metadata;
  /** What interceptors hand to each other and to the handler. */
  readonly values: Map<symbol, unknown>;
}

/** What a client interceptor knows of a call. */
export interface OutgoingContext {
  /** Request path. */
  readonly method: string;
  /** Request headers; may be changed until `next` is called. */
  readonly metadata: Metadata;
  /** When the call gives up, ms since 1970. */
  readonly deadline?: number;
  /** What interceptors hand to each other. */
  readonly values: Map<symbol, unknown>;
  /** Response headers, once they are there. */
  headers?: Metadata;
  /** Response trailers, once they are there. */
  trailers?: Metadata;
}

/**
 * Runs around every call of a server, outermost first. Throwing an RpcError before `next` refuses the call; `next`
 * settles when the handler has ended, or the caller has gone, and rejects with an RpcError unless all went well. The
 * status leaves when the outermost interceptor has settled.
 */
export type ServerInterceptor = (context: CallContext, next: () => Promise<void>) => Promise<void>;

/** The same on the client's side. */
export type ClientInterceptor = (call: OutgoingContext, next: () => Promise<void>) => Promise<void>;

/** Composes interceptors around an innermost step. */
export function chain<C>(
  interceptors: readonly ((context: C, next: () => Promise<void>) => Promise<void>)[],
  context: C,
  innermost: () => Promise<void>,
): Promise<void> {
  function step(index: number): Promise<void> {
    const interceptor = interceptors[index];
    return interceptor === undefined ? innermost() : interceptor(context, () => step(index + 1));
  }
  return step(0);
}
