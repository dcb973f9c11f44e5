import type { StreamClosedError } from "./core/errors.ts";
import type { HeaderList, PreparedHeaders } from "./hpack/mod.ts";
import type { PeerInfo } from "./transport/types.ts";

/**
 * One exchange. The server's handler gets it with the request in `headers`; a client gets it from `open`.
 *
 * Octets given to `write` and `end` belong to the stream until the promise resolves; when there is none, they are the caller's
 * again at once. Octets received are the receiver's to keep.
 */
export interface Http2Stream {
  /** Its identifier on the connection; 0 while a client's stream waits for its turn. */
  readonly id: number;
  /** Who is at the other end. */
  readonly peer: PeerInfo;
  /**
   * The header list received: at a server the request, at a client the response, empty until that has come. A list that repeats
   * on a connection is often the very same frozen object, so what was made of it can be kept by identity.
   */
  readonly headers: HeaderList;
  /** The trailers received, once the body has ended; null when there were none. */
  readonly trailers: HeaderList | null;
  /** The response's header list has come (client). */
  readonly headersReceived: boolean;
  /** A header list of ours has gone out. */
  readonly headersSent: boolean;
  /** The peer has ended its side. */
  readonly remoteClosed: boolean;
  /** The stream is over. */
  readonly closed: boolean;
  /** Why it was over early, or null. */
  readonly closeError: StreamClosedError | null;
  /** Octets given to `write` that have not left yet. */
  readonly queuedBytes: number;
  /** Aborted, with `closeError`, when the stream is over early: reset by the peer, or its connection lost. */
  readonly signal: AbortSignal;
  /** Calls back once, when the stream is over (at once if it is): null when both sides came to their end. One listener only. */
  onClose(listener: (error: StreamClosedError | null) => void): void;

  /**
   * Sends the response's header list (server); with `end` there is nothing behind it.
   *
   * @throws {StreamClosedError} when the stream is over.
   * @throws {TypeError} when a name or value may not be sent.
   */
  respond(headers: HeaderList | PreparedHeaders, end?: boolean): void;
  /**
   * Sends octets, `more` directly behind `bytes` (a message behind its prefix).
   *
   * @returns Nothing when they are on their way; otherwise a promise that resolves when they are, and rejects with
   * {@linkcode StreamClosedError}. Whoever does not wait for it is stopped at `maxQueuedBytesPerStream`.
   * @throws {StreamClosedError} when the stream is over.
   * @throws {RangeError} when too much is queued.
   */
  write(bytes: Uint8Array, more?: Uint8Array): void | Promise<void>;
  /** Like `write`, and ends our side. */
  end(bytes?: Uint8Array, more?: Uint8Array): void | Promise<void>;
  /** Sends trailers behind what is queued, and ends our side. */
  sendTrailers(trailers: HeaderList | PreparedHeaders): void;
  /** `respond`, `write` and `sendTrailers` in one go: the cheapest way to answer. */
  respondWhole(
    headers: HeaderList | PreparedHeaders,
    body: Uint8Array,
    more: Uint8Array,
    trailers: HeaderList | PreparedHeaders,
  ): void | Promise<void>;
  /** Ends the stream with RST_STREAM (by default CANCEL); `message` is for our own side. */
  reset(code?: number, message?: string): void;

  /** The response's header list (client); rejects with {@linkcode StreamClosedError} when there is none. */
  response(): Promise<HeaderList>;
  /** Calls back with the response's header list, without a promise. One listener only. */
  onResponse(listener: (headers: HeaderList) => void): void;
  /**
   * The next octets that have come, null at the end; waits while there are none. Where they are cut says nothing. Reading opens
   * the window: a stream that nobody reads stops its sender. One read at a time.
   */
  read(): Promise<Uint8Array | null>;
  /** Like `read` without waiting: undefined when there is nothing yet. @throws {StreamClosedError} */
  tryRead(): Uint8Array | null | undefined;
  /** Reads to the end by {@linkcode Http2Stream.read}. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void, void>;
  /**
   * Reads the whole body and calls back once, often within the call that received its last frame: the cheapest way to read.
   * `trailers` stand by then. Errors: {@linkcode BodyTooLargeError} (the rest is discarded; the stream lives), or
   * {@linkcode StreamClosedError}.
   */
  collect(maxBytes: number, done: (error: Error | null, body: Uint8Array) => void): void;
  /** Like `collect`, as a promise. */
  readAll(maxBytes: number): Promise<Uint8Array>;
  /** Throws away what has come and what will come. */
  discard(): void;
}
