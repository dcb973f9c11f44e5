import type { HeaderList, PreparedHeaders } from "../hpack/mod.ts";
import { Ended } from "./closed_streams.ts";
import { ErrorCode } from "./constants.ts";
import { StreamClosedError } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";
import type { Outbound } from "./outbound.ts";
import type { Settings } from "./settings.ts";
import type { StreamCore } from "./stream_core.ts";
import type { StreamTable } from "./stream_table.ts";

/** What the opening of streams needs of its connection. */
export interface OpeningHost<S extends StreamCore> {
  readonly limits: Http2Limits;
  readonly closed: boolean;
  readonly draining: boolean;
  readonly established: boolean;
  readonly peerSettings: Settings;
  readonly table: StreamTable<S>;
  readonly outbound: Outbound;
  admit(stream: S): void;
  close(stream: S, error: StreamClosedError, how: number): void;
  shutdown(): void;
}

/** Streams that a client opens before it knows what its server allows. */
const STREAMS_BEFORE_SETTINGS = 100;

interface Request {
  readonly headers: HeaderList | PreparedHeaders;
  readonly end: boolean;
}

/** The streams of a client on their way to being open: those past the server's limit wait here, in their order. */
export class OpeningStreams<S extends StreamCore> {
  readonly #host: OpeningHost<S>;
  readonly #waiting = new Map<S, Request>();

  constructor(host: OpeningHost<S>) {
    this.#host = host;
  }

  /** Streams that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Opens a stream, or lets it wait.
   *
   * @throws {StreamClosedError} when the connection is draining or over, or too many streams wait.
   */
  open(stream: S, headers: HeaderList | PreparedHeaders, end: boolean): void {
    const host = this.#host;
    if (host.draining || host.closed) {
      throw new StreamClosedError(ErrorCode.REFUSED_STREAM, "connection", "Connection takes no new streams");
    }
    const limit = host.established ? host.peerSettings.maxConcurrentStreams : STREAMS_BEFORE_SETTINGS;
    if (host.table.occupied < limit && this.#waiting.size === 0) return this.#open(stream, headers, end);
    if (this.#waiting.size >= host.limits.maxPendingStreams) {
      throw new StreamClosedError(ErrorCode.REFUSED_STREAM, "local", "Too many streams wait to be opened");
    }
    this.#waiting.set(stream, { headers, end });
    if (end) stream.ending = true;
  }

  /** Opens of those that wait as many as are allowed. */
  proceed(): void {
    const host = this.#host;
    for (const [stream, { headers, end }] of this.#waiting) {
      if (host.table.occupied >= host.peerSettings.maxConcurrentStreams || host.closed) return;
      this.#waiting.delete(stream);
      try {
        this.#open(stream, headers, end);
      } catch {
        // Its list may not be sent; the stream has been closed for that.
      }
    }
  }

  /** Forgets a stream that waits. */
  forget(stream: S): void {
    this.#waiting.delete(stream);
  }

  /** Ends all that wait. */
  drop(error: StreamClosedError): void {
    for (const stream of [...this.#waiting.keys()]) this.#host.close(stream, error, Ended.DONE);
  }

  #open(stream: S, headers: HeaderList | PreparedHeaders, end: boolean): void {
    const { table, outbound } = this.#host;
    stream.id = table.next;
    table.next += 2;
    this.#host.admit(stream);
    try {
      outbound.headers(stream, headers, end);
    } catch (error) {
      // The list may not be sent; nothing of it has been. The identifier stays unused.
      const why = new StreamClosedError(ErrorCode.INTERNAL_ERROR, "local", "Header list may not be sent", {
        cause: error,
      });
      this.#host.close(stream, why, Ended.DONE);
      throw error;
    }
    if (table.spent) this.#host.shutdown();
    outbound.resume(stream);
  }
}
