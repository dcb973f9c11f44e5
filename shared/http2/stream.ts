import { ErrorCode } from "./core/constants.ts";
import type { Connection } from "./core/connection.ts";
import { StreamClosedError } from "./core/errors.ts";
import { ReceiveBuffer } from "./core/receive_buffer.ts";
import { StreamCore } from "./core/stream_core.ts";
import type { HeaderList, PreparedHeaders } from "./hpack/mod.ts";
import type { Http2Stream } from "./stream_face.ts";
import type { PeerInfo } from "./transport/types.ts";

const EMPTY = new Uint8Array(0);

/** A body is longer than its reader takes. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
  /** The most that was to be taken, in octets. */
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`Body is longer than ${maxBytes} octets`);
    this.maxBytes = maxBytes;
  }
}

type Collector = (error: Error | null, body: Uint8Array) => void;

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** The stream of {@linkcode Http2Stream} on a connection. */
export class ConnectionStream extends StreamCore implements Http2Stream {
  readonly peer: PeerInfo;
  readonly #connection: Connection<ConnectionStream>;
  #buffer: ReceiveBuffer | null = null;
  #whole: Uint8Array = EMPTY;
  #collector: Collector | null = null;
  #maxBytes = 0;
  #discarding = false;
  #reader: Waiter<Uint8Array | null> | null = null;
  #response: Waiter<HeaderList> | null = null;
  #abort: AbortController | null = null;
  #closeListener: ((error: StreamClosedError | null) => void) | null = null;
  #headersListener: ((headers: HeaderList) => void) | null = null;

  readonly #onFault: (stream: ConnectionStream, error: unknown) => void;

  /** @param onFault Hears what a listener of the stream's user threw; the stream is to be reset. */
  constructor(
    connection: Connection<ConnectionStream>,
    peer: PeerInfo,
    onFault: (stream: ConnectionStream, error: unknown) => void,
  ) {
    super();
    this.#connection = connection;
    this.peer = peer;
    this.#onFault = onFault;
  }

  // ---- sending

  respond(headers: HeaderList | PreparedHeaders, end = false): void {
    if (this.closeError !== null) throw this.closeError;
    if (this.closed || this.ending) {
      throw new StreamClosedError(ErrorCode.STREAM_CLOSED, "local", "Our side of the stream has ended already");
    }
    this.#connection.outbound.headers(this, headers, end);
  }

  write(bytes: Uint8Array, more: Uint8Array = EMPTY): void | Promise<void> {
    return this.#connection.outbound.data(this, bytes, more, false);
  }

  end(bytes: Uint8Array = EMPTY, more: Uint8Array = EMPTY): void | Promise<void> {
    return this.#connection.outbound.data(this, bytes, more, true);
  }

  sendTrailers(trailers: HeaderList | PreparedHeaders): void {
    this.#connection.outbound.trailers(this, trailers);
  }

  respondWhole(
    headers: HeaderList | PreparedHeaders,
    body: Uint8Array,
    more: Uint8Array,
    trailers: HeaderList | PreparedHeaders,
  ): void | Promise<void> {
    this.respond(headers);
    const written = this.#connection.outbound.data(this, body, more, false);
    this.#connection.outbound.trailers(this, trailers);
    return written;
  }

  reset(code: number = ErrorCode.CANCEL, message = "Stream was cancelled"): void {
    this.#connection.reset(this, code, message);
  }

  get queuedBytes(): number {
    return this.queue?.bytes ?? 0;
  }

  // ---- receiving

  response(): Promise<HeaderList> {
    if (this.headersReceived) return Promise.resolve(this.headers);
    if (this.closeError !== null) return rejected(this.closeError);
    return handled(new Promise((resolve, reject) => this.#response = { resolve, reject }));
  }

  onResponse(listener: (headers: HeaderList) => void): void {
    if (this.headersReceived) listener(this.headers);
    else this.#headersListener = listener;
  }

  tryRead(): Uint8Array | null | undefined {
    const buffer = this.#buffer;
    if (buffer !== null && buffer.length > 0) {
      const bytes = buffer.take();
      this.#taken(bytes.length);
      return bytes;
    }
    if (this.closeError !== null) throw this.closeError;
    return this.remoteClosed || this.closed ? null : undefined;
  }

  read(): Promise<Uint8Array | null> {
    if (this.#reader !== null || this.#collector !== null) {
      return rejected(new TypeError("Stream has a reader already"));
    }
    try {
      const bytes = this.tryRead();
      if (bytes !== undefined) return Promise.resolve(bytes);
    } catch (error) {
      return rejected(error);
    }
    return handled(new Promise((resolve, reject) => this.#reader = { resolve, reject }));
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void, void> {
    const result = (bytes: Uint8Array | null): IteratorResult<Uint8Array, void> =>
      bytes === null ? { done: true, value: undefined } : { done: false, value: bytes };
    return { next: () => this.read().then(result) };
  }

  collect(maxBytes: number, done: Collector): void {
    if (this.#reader !== null || this.#collector !== null) throw new TypeError("Stream has a reader already");
    if (this.closeError !== null) return done(this.closeError, EMPTY);
    this.#collector = done;
    this.#maxBytes = maxBytes;
    this.gathering = true;
    const held = this.#buffer?.length ?? 0;
    if (held > maxBytes) this.#tooLarge();
    else if (this.remoteClosed || this.closed) this.#collected();
    else if (held > 0) this.#connection.window.consumed(this, held);
  }

  readAll(maxBytes: number): Promise<Uint8Array> {
    return handled(
      new Promise((resolve, reject) => {
        this.collect(maxBytes, (error, body) => error === null ? resolve(body) : reject(error));
      }),
    );
  }

  discard(): void {
    this.#discarding = true;
    this.#drop();
  }

  // ---- life

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.closeError !== null) this.#abort.abort(this.closeError);
    }
    return this.#abort.signal;
  }

  onClose(listener: (error: StreamClosedError | null) => void): void {
    if (this.closed) listener(this.closeError);
    else this.#closeListener = listener;
  }

  // ---- what the connection delivers

  override deliverHeaders(): void {
    const response = this.#response;
    this.#response = null;
    response?.resolve(this.headers);
    const listener = this.#headersListener;
    this.#headersListener = null;
    if (listener !== null) this.#guard(() => listener(this.headers));
  }

  override deliverData(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (this.#discarding) return this.#connection.window.consumed(this, count);
    if (this.#collector !== null) return this.#gather(source, start, end);
    const connection = this.#connection;
    if (connection.budget.exhausted) return this.reset(ErrorCode.ENHANCE_YOUR_CALM, "Server has no memory left");
    this.#buffer ??= new ReceiveBuffer();
    this.#buffer.append(source, start, end);
    connection.window.hold(count);
    const reader = this.#reader;
    if (reader !== null) {
      this.#reader = null;
      reader.resolve(this.tryRead()!);
    }
  }

  override deliverEnd(): void {
    if (this.#collector !== null) return this.#collected();
    const reader = this.#reader;
    this.#reader = null;
    reader?.resolve(null);
  }

  override deliverClosed(): void {
    const error = this.closeError;
    // A server's handler has answered; a client may still read what has come.
    if (error !== null || this.#connection.role === "server") this.#drop();
    this.#response?.reject(
      error ?? new StreamClosedError(ErrorCode.NO_ERROR, "peer", "Stream ended without a response"),
    );
    this.#response = null;
    const reader = this.#reader;
    this.#reader = null;
    if (error === null) reader?.resolve(null);
    else reader?.reject(error);
    const collector = this.#collector;
    this.#collector = null;
    if (collector !== null) {
      const why = error ?? new StreamClosedError(ErrorCode.NO_ERROR, "local", "Stream is over");
      this.#guard(() => collector(why, EMPTY));
    }
    if (error !== null) this.#abort?.abort(error);
    const listener = this.#closeListener;
    this.#closeListener = null;
    if (listener !== null) this.#guard(() => listener(error));
  }

  /** Data for a collector: kept until the body is whole. */
  #gather(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    const held = this.#buffer?.length ?? 0;
    if (held + count > this.#maxBytes) {
      this.#tooLarge();
      return this.#connection.window.consumed(this, count);
    }
    if (this.remoteClosed && held === 0) {
      this.#whole = source.slice(start, end);
      return;
    }
    const connection = this.#connection;
    if (
      connection.window.heldBytes + count > connection.limits.maxBufferedBytesPerConnection ||
      connection.budget.exhausted
    ) return this.reset(ErrorCode.ENHANCE_YOUR_CALM, "Too many octets are waiting for the rest of their bodies");
    this.#buffer ??= new ReceiveBuffer();
    this.#buffer.append(source, start, end);
    connection.window.hold(count);
    connection.window.consumed(this, count);
  }

  #collected(): void {
    const collector = this.#collector!;
    this.#collector = null;
    let body = this.#whole;
    this.#whole = EMPTY;
    const buffer = this.#buffer;
    if (buffer !== null && buffer.length > 0) {
      body = buffer.takeAll();
      this.#released(body.length);
    }
    try {
      collector(null, body);
    } catch (error) {
      this.#onFault(this, error);
    }
  }

  #tooLarge(): void {
    const collector = this.#collector!;
    this.#collector = null;
    this.discard();
    this.#guard(() => collector(new BodyTooLargeError(this.#maxBytes), EMPTY));
  }

  /** Calls the stream's user; what it throws is the stream's fault, not the connection's. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#onFault(this, error);
    }
  }

  #drop(): void {
    const held = this.#buffer?.length ?? 0;
    if (held === 0) return;
    this.#buffer!.clear();
    this.#taken(held);
  }

  /** Octets held have been read. */
  #taken(bytes: number): void {
    this.#released(bytes);
    this.#connection.window.consumed(this, bytes);
  }

  /** Octets held are held no more. */
  #released(bytes: number): void {
    const connection = this.#connection;
    connection.window.release(bytes);
    if (!connection.closed) connection.window.credit();
  }
}

/** A rejection that nobody waits for must not end the process: whoever does not ask hears of it by other ways. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function rejected(error: unknown): Promise<never> {
  return handled(Promise.reject(error));
}
