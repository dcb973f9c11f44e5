import type { HeaderList, PreparedHeaders } from "../hpack/mod.ts";
import { BufferPool } from "./buffer_pool.ts";
import { Ended } from "./closed_streams.ts";
import type { ConnectionEvents, ConnectionOptions, Role } from "./connection_types.ts";
import { CLIENT_PREFACE, ErrorCode, Flag, FrameType } from "./constants.ts";
import { Departure } from "./departure.ts";
import { asConnectionError, ConnectionError, StreamClosedError } from "./errors.ts";
import { FrameReader } from "./frame_reader.ts";
import { Inbound } from "./inbound.ts";
import { InboundWindow } from "./inbound_window.ts";
import { type Http2Limits, poolBufferBytes } from "./limits.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { OpeningStreams } from "./opening_streams.ts";
import { Outbound } from "./outbound.ts";
import { type ChangedSettings, OwnSettings } from "./own_settings.ts";
import { Pings } from "./pings.ts";
import { HTTP1_ANSWER, Preface } from "./preface.ts";
import { initialSettings, readSettings, type Settings } from "./settings.ts";
import type { StreamCore } from "./stream_core.ts";
import { StreamTable } from "./stream_table.ts";
import { Watchdog } from "./watchdog.ts";

export type { ConnectionEvents, ConnectionOptions, Role } from "./connection_types.ts";

/**
 * One connection of HTTP/2 (RFC 9113) without any I/O: octets go in by {@linkcode Connection.receive}, events come out through
 * {@linkcode ConnectionEvents} and the streams, octets come out by {@linkcode Connection.takeOutput}.
 */
export class Connection<S extends StreamCore = StreamCore> {
  readonly role: Role;
  readonly limits: Http2Limits;
  readonly budget: MemoryBudget;
  /** The sending half. */
  readonly outbound: Outbound;
  /** Flow control of what we receive. */
  readonly window: InboundWindow;
  /** The streams. */
  readonly table: StreamTable<S>;
  /** The peer's settings as last received. */
  readonly peerSettings: Settings = initialSettings();
  /** Milliseconds of the clock, as last passed in. */
  now: number;
  /** The connection is over. */
  closed = false;
  /** The preface and the first SETTINGS of the peer have come. */
  established = false;

  readonly #events: ConnectionEvents<S>;
  readonly #reader: FrameReader;
  readonly #inbound: Inbound<S>;
  readonly #watchdog: Watchdog;
  readonly #pings = new Pings();
  readonly #settings: OwnSettings;
  readonly #opening: OpeningStreams<S>;
  readonly #departure: Departure;
  #preface: Preface | null;

  constructor(options: ConnectionOptions<S>) {
    const { role, limits } = options;
    this.role = role;
    this.limits = limits;
    this.now = options.now;
    this.#events = options.events;
    this.budget = options.budget ?? new MemoryBudget(limits.maxBufferedBytes);
    this.outbound = new Outbound(this, limits, options.pool ?? new BufferPool(poolBufferBytes(limits)));
    this.table = new StreamTable(role === "client");
    this.window = new InboundWindow(this);
    this.#opening = new OpeningStreams<S>(this);
    this.#departure = new Departure(this);
    this.#reader = new FrameReader(limits.maxFrameBytes);
    this.#inbound = new Inbound(this);
    this.#watchdog = new Watchdog(this, options.now, options.ageJitterMs ?? 0);
    this.#settings = new OwnSettings(this, this.#watchdog);
    this.#preface = role === "server" ? new Preface() : null;
    if (role === "client") {
      this.outbound.output.raw(CLIENT_PREFACE);
      this.#settings.greet();
    }
  }

  /** Streams that are not over, by identifier. */
  get streams(): ReadonlyMap<number, S> {
    return this.table.open;
  }

  /** Streams open, and streams that are over while their handler is still at work. */
  get occupied(): number {
    return this.table.occupied;
  }

  /** Streams that wait for the peer to allow them. */
  get pendingStreams(): number {
    return this.#opening.waiting;
  }

  /** Streams of any kind that an orderly end has to wait for. */
  get unfinished(): number {
    return this.occupied + this.#opening.waiting;
  }

  /** No further streams: we have sent, or the peer has sent, GOAWAY. */
  get draining(): boolean {
    return this.#departure.draining;
  }

  /** Streams that the peer may have open. */
  get maxConcurrentStreams(): number {
    return this.#settings.maxConcurrentStreams;
  }

  /** The largest stream that is still taken. */
  get lastAccepted(): number {
    return this.#departure.lastAccepted;
  }

  /** When the header block that is coming in began, in milliseconds, or -1. */
  get headerBlockStartedAt(): number {
    return this.#inbound.headerBlockStartedAt;
  }

  // ---- from the transport and the clock

  /** Takes octets from the transport. */
  receive(chunk: Uint8Array, now: number): void {
    this.now = now;
    if (this.closed) return;
    this.#watchdog.received(now);
    try {
      const at = this.#preface === null ? 0 : this.#readPreface(chunk);
      if (at >= 0) this.#reader.push(chunk, at, this.#inbound);
    } catch (error) {
      this.fail(asConnectionError(error));
    }
  }

  /** The transport is gone: its end (without `error`) or a failure of it. */
  lost(error: Error | null, now: number): void {
    this.now = now;
    if (this.closed) return;
    const orderly = error === null && this.unfinished === 0 && this.established;
    this.#end(orderly ? null : error ?? new ConnectionError(ErrorCode.NO_ERROR, "Peer closed the connection"));
  }

  /** We give the connection up, without a word to the peer. */
  drop(now: number): void {
    this.now = now;
    this.#end(new ConnectionError(ErrorCode.CANCEL, "We closed the connection"), null);
  }

  /** Lets time pass: time outs, keepalive, age. Call it every second or so. */
  tick(now: number): void {
    this.now = now;
    if (this.closed) return;
    this.#watchdog.tick(now);
    // Memory that another connection held may be free now.
    if (this.established && !this.closed) this.window.credit();
  }

  #readPreface(chunk: Uint8Array): number {
    const result = this.#preface!.push(chunk);
    switch (result.kind) {
      case "more":
        return -1;
      case "http2":
        this.#preface = null;
        this.#settings.greet();
        return result.next;
      case "http1":
        this.outbound.output.raw(HTTP1_ANSWER);
        this.#end(new ConnectionError(ErrorCode.HTTP_1_1_REQUIRED, "Client speaks HTTP/1"));
        return -1;
      case "noise":
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "Connection preface is not of HTTP/2");
    }
  }

  // ---- settings, pings, GOAWAY

  /** Changes what we allow the peer while the connection lives. */
  updateSettings(changed: ChangedSettings): void {
    if (!this.closed && this.#preface === null) this.#settings.change(changed);
  }

  /** The peer has acknowledged our oldest settings; false when there were none. */
  settingsAcknowledged(): boolean {
    return this.#settings.acknowledged();
  }

  /** Settings of the peer. @throws {ConnectionError} when a value is not allowed. */
  settings(source: Uint8Array, start: number, end: number): void {
    const { peerSettings, outbound } = this;
    const oldWindow = peerSettings.initialWindowBytes;
    readSettings(peerSettings, source, start, end);
    outbound.encoder.allowTableBytes(peerSettings.headerTableBytes);
    outbound.output.frame(FrameType.SETTINGS, Flag.ACK, 0, 0);
    this.wake();
    const change = peerSettings.initialWindowBytes - oldWindow;
    if (change !== 0) outbound.shift(this.streams.values(), change);
    if (!this.established) {
      this.established = true;
      this.#events.onEstablished?.();
    }
    this.#opening.proceed();
  }

  /** Pings the peer; `done` gets the moment of the answer. */
  sendPing(done: (now: number) => void): void {
    if (this.closed) return;
    this.#pings.send(this.outbound.output, done);
    this.wake();
  }

  /** A ping of the peer, or its answer to one of ours. */
  ping(source: Uint8Array, start: number, end: number, answer: boolean): void {
    if (answer) return this.#pings.answered(source, start, this.now);
    const at = this.outbound.output.frame(FrameType.PING, Flag.ACK, 0, 8);
    this.outbound.output.buffer.set(source.subarray(start, end), at);
    this.wake();
  }

  /** The peer goes away. */
  goAway(lastStream: number, code: number): void {
    this.#departure.drain();
    if (this.role === "client") {
      const error = new StreamClosedError(code, "connection", "Server goes away", { unprocessed: true });
      for (const stream of [...this.streams.values()]) {
        if (stream.id > lastStream) this.close(stream, error, Ended.RESET_BY_PEER);
      }
      this.#opening.drop(error);
    }
    this.#departure.endIfDrained();
  }

  /** Drains the connection: see {@linkcode Departure.begin}. */
  shutdown(): void {
    if (this.closed) return;
    if (this.#preface !== null) return this.#end(null); // Nothing has been said yet.
    if (this.#departure.begin()) this.#watchdog.drainingSince(this.now);
  }

  /** The second step of {@linkcode Connection.shutdown}. */
  finalGoAway(): void {
    this.#departure.conclude();
  }

  /** Says above that no new streams may be opened. */
  announceDraining(): void {
    this.#events.onDraining?.();
  }

  /** Ends the connection in order. */
  finish(): void {
    this.#end(null);
  }

  /** Ends the connection at once with GOAWAY. */
  fail(error: ConnectionError): void {
    if (this.closed) return;
    if (this.#preface === null) this.#departure.send(this.table.lastPeer, error.code, error.message);
    this.#end(error);
  }

  #end(error: Error | null, reported = error): void {
    if (this.closed) return;
    this.closed = true;
    this.#reader.stop();
    this.#inbound.stop();
    const code = error instanceof ConnectionError ? error.code : ErrorCode.INTERNAL_ERROR;
    const message = error === null ? "Connection is over" : "Connection was lost";
    const why = new StreamClosedError(code, "connection", message, { cause: error, unprocessed: false });
    for (const stream of [...this.streams.values()]) this.close(stream, why, Ended.RESET_BY_US);
    this.#opening.drop(new StreamClosedError(code, "connection", message, { cause: error, unprocessed: true }));
    this.#pings.clear();
    this.#events.onClosed(reported);
  }

  // ---- streams

  /** Makes the object of a stream that the peer opens. */
  createStream(): S {
    return this.#events.createStream();
  }

  /** Hands up a stream that the peer has opened. */
  announce(stream: S): void {
    this.#events.onStream(stream);
  }

  /** Takes in a stream that has its identifier. */
  admit(stream: S): void {
    stream.sendWindow = this.peerSettings.initialWindowBytes;
    stream.receiveWindow = this.window.initial;
    this.table.add(stream);
  }

  /** Opens a stream (client): see {@linkcode OpeningStreams.open}. */
  open(stream: S, headers: HeaderList | PreparedHeaders, end: boolean): void {
    this.#opening.open(stream, headers, end);
  }

  /** Ends a stream with RST_STREAM. */
  reset(stream: S, code: number, message: string): void {
    if (stream.closed) return;
    if (stream.id !== 0) this.sendReset(stream.id, code);
    this.close(stream, new StreamClosedError(code, "local", message), Ended.RESET_BY_US);
  }

  /** The peer has let the stream stand for too long. */
  expire(stream: StreamCore, message: string): void {
    this.reset(stream as S, ErrorCode.ENHANCE_YOUR_CALM, message);
  }

  /** A handler starts work on the stream: its place is not given away before {@linkcode Connection.unpin}. */
  pin(stream: S): void {
    stream.pins++;
  }

  /** The handler has returned. */
  unpin(stream: S): void {
    stream.pins--;
    if (stream.closed && stream.pins === 0) this.#vacate();
  }

  /** The peer has ended its side. */
  remoteEnd(stream: S): void {
    stream.remoteClosed = true;
    stream.deliverEnd();
    if (stream.localClosed && !stream.closed) this.close(stream, null, Ended.DONE);
  }

  /** Our side of the stream has ended on the wire. */
  localEnd(stream: StreamCore): void {
    if (stream.remoteClosed) return this.close(stream as S, null, Ended.DONE);
    if (this.role === "client") return;
    // A complete response makes the rest of the request pointless (RFC 9113, section 8.1).
    this.sendReset(stream.id, ErrorCode.NO_ERROR);
    this.close(stream as S, null, Ended.RESET_BY_US);
  }

  /** Ends a stream; `how` is one of {@linkcode Ended}. */
  close(stream: S, error: StreamClosedError | null, how: number): void {
    if (stream.closed) return;
    stream.closed = true;
    stream.closeError = error;
    if (stream.queue !== null) {
      this.outbound.abandon(stream, error ?? new StreamClosedError(ErrorCode.NO_ERROR, "local", "Stream is over"));
    }
    const lived = this.table.open.delete(stream.id);
    if (lived) this.table.ended.add(stream.id, how);
    else this.#opening.forget(stream);
    stream.deliverClosed();
    if (lived && stream.pins === 0) this.#vacate();
  }

  #vacate(): void {
    this.table.occupied--;
    if (this.closed) return;
    if (this.#opening.waiting > 0) this.#opening.proceed();
    if (this.occupied > 0) return;
    this.#watchdog.idle(this.now);
    this.#departure.endIfDrained();
  }

  // ---- output

  /** Octets for the transport, or null; to be given back by {@linkcode Connection.written}. */
  takeOutput(): Uint8Array | null {
    const taken = this.outbound.output.take();
    if (taken !== null) this.#watchdog.writing(this.now);
    return taken;
  }

  /** The transport has taken what {@linkcode Connection.takeOutput} gave. */
  written(taken: Uint8Array, now: number): void {
    this.now = now;
    this.outbound.output.recycle(taken);
    this.#watchdog.written();
    if (!this.closed) this.outbound.pump();
  }

  /** Frames wait for the transport. */
  wake(): void {
    if (this.outbound.output.length > this.limits.maxOutputBytes && !this.closed) {
      return this.#end(new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Peer does not read what it makes us answer"));
    }
    this.#events.onOutput();
  }

  /** A frame with content went out. */
  sentContent(): void {
    this.#inbound.content();
  }

  /** Writes RST_STREAM. */
  sendReset(id: number, code: number): void {
    this.outbound.output.numbers(FrameType.RST_STREAM, id, code);
    this.wake();
  }
}
