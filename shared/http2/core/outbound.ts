import { checkSendable, type HeaderList, HpackEncoder, PreparedHeaders } from "../hpack/mod.ts";
import type { BufferPool } from "./buffer_pool.ts";
import {
  DEFAULT_WINDOW_BYTES,
  ErrorCode,
  Flag,
  FrameType,
  MAX_WINDOW_BYTES,
  MIN_MAX_FRAME_BYTES,
} from "./constants.ts";
import { ConnectionError, StreamClosedError } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";
import { Output } from "./output.ts";
import { SendQueue } from "./send_queue.ts";
import type { StreamCore } from "./stream_core.ts";

/** What the sending half asks of its connection. */
export interface OutboundHost {
  /** Milliseconds of the connection's clock. */
  readonly now: number;
  /** A frame with content went out. */
  sentContent(): void;
  /** Our side of the stream has ended on the wire. */
  localEnd(stream: StreamCore): void;
  /** Frames wait for the transport. */
  wake(): void;
}

const EMPTY = new Uint8Array(0);

/**
 * Longest frame sent, octets. Every peer takes it. Those that allow megabytes get no more: output is bounded by the frame,
 * and streams take turns by it.
 */
const MAX_SENT_FRAME_BYTES = MIN_MAX_FRAME_BYTES;

/** The sending half of a connection: header blocks, and data as windows and transport allow, streams in turn. */
export class Outbound {
  readonly output: Output;
  readonly encoder: HpackEncoder;
  readonly #host: OutboundHost;
  readonly #limits: Http2Limits;
  /** Streams with octets queued and an open window of their own, in the order of their turns. */
  readonly #ready = new Set<StreamCore>();
  /** Octets that we may still send on the connection. */
  windowBytes = DEFAULT_WINDOW_BYTES;
  /** Streams that have a queue. */
  queuedStreams = 0;

  constructor(host: OutboundHost, limits: Http2Limits, pool: BufferPool) {
    this.#host = host;
    this.#limits = limits;
    this.output = new Output(pool);
    this.encoder = new HpackEncoder({ tableBytes: limits.headerTableBytes });
  }

  /** Sends a header list; with `end` our side of the stream is done. */
  headers(stream: StreamCore, headers: HeaderList | PreparedHeaders, end: boolean): void {
    if (!(headers instanceof PreparedHeaders)) checkSendable(headers);
    this.output.headers(stream.id, this.encoder.encode(headers), end, MAX_SENT_FRAME_BYTES);
    stream.headersSent = true;
    this.#host.sentContent();
    this.#host.wake();
    if (end) this.#end(stream);
  }

  /**
   * Sends octets, `second` directly behind `first`; with `end` our side of the stream is done.
   *
   * @returns Nothing when all of it is on its way, or a promise of that; it rejects with {@linkcode StreamClosedError}.
   * @throws {StreamClosedError} when the stream is over.
   * @throws {RangeError} when a caller that does not wait has queued more than `maxQueuedBytesPerStream`.
   */
  data(stream: StreamCore, first: Uint8Array, second: Uint8Array, end: boolean): void | Promise<void> {
    assertWritable(stream);
    const total = first.length + second.length;
    let queue = stream.queue;
    if (queue === null) {
      if (total === 0 && stream.id !== 0) {
        if (end) this.#frame(stream, EMPTY, EMPTY, true);
        return;
      }
      if (
        total <= stream.sendWindow && total <= this.windowBytes && total <= MAX_SENT_FRAME_BYTES && stream.id !== 0 &&
        this.output.length < this.#limits.outputBytes
      ) return this.#frame(stream, first, second, end);
      stream.queue = queue = new SendQueue();
      stream.progressAt = this.#host.now;
      this.queuedStreams++;
    } else if (queue.bytes > 0 && queue.bytes + total > this.#limits.maxQueuedBytesPerStream) {
      throw new RangeError(
        `Stream ${stream.id} has ${queue.bytes} octets queued; ${total} more exceed ${this.#limits.maxQueuedBytesPerStream}`,
      );
    }
    queue.add(first);
    queue.add(second);
    if (end) stream.ending = true;
    this.resume(stream);
    if (stream.queue === null || queue.bytes === 0) return;
    return queue.drained();
  }

  /** Sends trailers behind whatever is queued; our side of the stream is done. */
  trailers(stream: StreamCore, trailers: HeaderList | PreparedHeaders): void {
    assertWritable(stream);
    if (stream.queue === null && stream.id !== 0) return this.headers(stream, trailers, true);
    if (!(trailers instanceof PreparedHeaders)) checkSendable(trailers);
    stream.ending = true;
    stream.queuedTrailers = trailers;
    if (stream.queue === null) {
      stream.queue = new SendQueue();
      this.queuedStreams++;
    }
  }

  /** The stream's window may have opened: sends what can be sent. */
  resume(stream: StreamCore): void {
    if (stream.queue === null || stream.id === 0) return;
    if (stream.queue.bytes === 0) return this.#drained(stream);
    if (stream.sendWindow > 0) this.#ready.add(stream);
    this.pump();
  }

  /** The connection's window or the transport has room: sends what can be sent, one frame of each stream in turn. */
  pump(): void {
    const ready = this.#ready;
    if (ready.size === 0) return;
    for (const stream of ready) {
      if (this.windowBytes <= 0 || this.output.length >= this.#limits.outputBytes) return;
      ready.delete(stream);
      const queue = stream.queue!;
      const count = Math.min(queue.bytes, stream.sendWindow, this.windowBytes, MAX_SENT_FRAME_BYTES);
      if (count <= 0) continue;
      const last = count === queue.bytes;
      const end = last && stream.ending && stream.queuedTrailers === null;
      const at = this.output.frame(FrameType.DATA, end ? Flag.END_STREAM : 0, stream.id, count);
      stream.sendWindow -= count;
      this.windowBytes -= count;
      stream.progressAt = this.#host.now;
      queue.take(this.output.buffer, at, count);
      this.#host.sentContent();
      this.#host.wake();
      if (last) this.#drained(stream, end);
      else if (stream.sendWindow > 0) ready.add(stream);
    }
  }

  /**
   * Widens the window of a stream.
   *
   * @returns False when it would pass 2^31 - 1.
   */
  widen(stream: StreamCore, bytes: number): boolean {
    if (stream.sendWindow + bytes > MAX_WINDOW_BYTES) return false;
    stream.sendWindow += bytes;
    this.resume(stream);
    return true;
  }

  /**
   * Changes the windows of all streams by the same number: the peer has changed its initial window.
   *
   * @throws {ConnectionError} when one would pass 2^31 - 1.
   */
  shift(streams: Iterable<StreamCore>, bytes: number): void {
    const all = [...streams];
    // All of them before the first sends anything: none may send by its old window behind our acknowledgement.
    for (const stream of all) {
      if (stream.sendWindow + bytes > MAX_WINDOW_BYTES) {
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `Window of stream ${stream.id} passes 2^31 - 1`);
      }
      stream.sendWindow += bytes;
    }
    if (bytes > 0) { for (const stream of all) this.resume(stream); }
  }

  /**
   * Widens the window of the connection.
   *
   * @throws {ConnectionError} when it would pass 2^31 - 1.
   */
  widenConnection(bytes: number): void {
    if (this.windowBytes + bytes > MAX_WINDOW_BYTES) {
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "Window of the connection passes 2^31 - 1");
    }
    this.windowBytes += bytes;
    this.pump();
  }

  /** Drops what the stream has queued. */
  abandon(stream: StreamCore, error: StreamClosedError): void {
    this.#ready.delete(stream);
    if (stream.queue === null) return;
    const queue = stream.queue;
    stream.queue = null;
    stream.queuedTrailers = null;
    this.queuedStreams--;
    queue.abandon(error);
  }

  #frame(stream: StreamCore, first: Uint8Array, second: Uint8Array, end: boolean): void {
    const total = first.length + second.length;
    const at = this.output.frame(FrameType.DATA, end ? Flag.END_STREAM : 0, stream.id, total);
    const buffer = this.output.buffer;
    if (first.length <= 8) { for (let from = 0; from < first.length; from++) buffer[at + from] = first[from]!; }
    else buffer.set(first, at);
    if (second.length > 0) buffer.set(second, at + first.length);
    stream.sendWindow -= total;
    this.windowBytes -= total;
    this.#host.sentContent();
    this.#host.wake();
    if (end) this.#end(stream);
  }

  #drained(stream: StreamCore, ended = false): void {
    stream.queue = null;
    this.queuedStreams--;
    if (ended) return this.#end(stream);
    const trailers = stream.queuedTrailers;
    stream.queuedTrailers = null;
    if (trailers !== null) this.headers(stream, trailers, true);
    else if (stream.ending) this.#frame(stream, EMPTY, EMPTY, true);
  }

  #end(stream: StreamCore): void {
    stream.ending = true;
    stream.localClosed = true;
    this.#host.localEnd(stream);
  }
}

function assertWritable(stream: StreamCore): void {
  if (stream.closeError !== null) throw stream.closeError;
  if (stream.ending || stream.closed) {
    throw new StreamClosedError(ErrorCode.STREAM_CLOSED, "local", "Our side of the stream has ended already");
  }
}
