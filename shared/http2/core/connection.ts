import { type DecodedBlock, type HeaderList, HpackDecoder, HpackError, type PreparedHeaders } from "../hpack/mod.ts";
import { BufferPool } from "./buffer_pool.ts";
import { ClosedStreams, Ended } from "./closed_streams.ts";
import {
  CLIENT_PREFACE,
  DEFAULT_WINDOW_BYTES,
  ErrorCode,
  Flag,
  FrameType,
  MAX_STREAM_ID,
  SettingId,
} from "./constants.ts";
import { ConnectionError, StreamClosedError } from "./errors.ts";
import { FrameReader, type FrameSink } from "./frame_reader.ts";
import { HeaderAssembler } from "./header_assembler.ts";
import { contentLength, findMalformed, type MessagePart } from "./header_rules.ts";
import type { Http2Limits } from "./limits.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { Outbound, type OutboundHost } from "./outbound.ts";
import { HTTP1_ANSWER, Preface } from "./preface.ts";
import { initialSettings, readSettings, type Settings, settingsPayload } from "./settings.ts";
import type { StreamCore } from "./stream_core.ts";
import { TokenBucket } from "./token_bucket.ts";
import { Watchdog } from "./watchdog.ts";

/** Which side of the connection we are. */
export type Role = "server" | "client";

/** What a connection tells those above it. */
export interface ConnectionEvents<S extends StreamCore> {
  /** Makes the object of a stream that the peer opens (server). */
  createStream(): S;
  /** The peer has opened a stream; its header list stands in it, and `remoteClosed` where nothing follows. */
  onStream(stream: S): void;
  /** Frames wait: fetch them with `takeOutput`, soon. */
  onOutput(): void;
  /** The preface and the first SETTINGS of the peer have come. */
  onEstablished?(): void;
  /** No new streams from now on: we or the peer are draining. */
  onDraining?(): void;
  /** The connection is over; what `takeOutput` still gives may be written before the transport closes. */
  onClosed(error: Error | null): void;
}

/** What a connection is made from. */
export interface ConnectionOptions<S extends StreamCore> {
  readonly role: Role;
  readonly limits: Http2Limits;
  readonly events: ConnectionEvents<S>;
  /** Milliseconds of the clock now; each later moment is passed in. */
  readonly now: number;
  /** Shared by the connections of a server. */
  readonly budget?: MemoryBudget;
  /** Shared by the connections of a server. */
  readonly pool?: BufferPool;
  /** Milliseconds added to `maxAgeMs`, so that connections opened together do not all end together. */
  readonly ageJitterMs?: number;
}

const PRIORITY_BYTES = 5;
/** Frames without progress that a frame of content pays for: window updates and pings of a peer that measures its link. */
const FRAMES_PER_CONTENT = 4;
/** The answer to a header list past its limits (RFC 6585, section 5). */
const HEADERS_TOO_LARGE: HeaderList = [[":status", "431"]];

/**
 * One connection of HTTP/2 (RFC 9113) without any I/O: octets go in by {@linkcode Connection.receive}, events come out through
 * {@linkcode ConnectionEvents} and the streams, octets come out by {@linkcode Connection.takeOutput}.
 */
export class Connection<S extends StreamCore = StreamCore> implements FrameSink, OutboundHost {
  readonly role: Role;
  readonly limits: Http2Limits;
  readonly budget: MemoryBudget;
  /** The sending half. */
  readonly outbound: Outbound;
  /** Streams that are not over, by identifier. */
  readonly streams = new Map<number, S>();
  /** The peer's settings as last received. */
  readonly peerSettings: Settings = initialSettings();
  /** Milliseconds of the clock, as last passed in. */
  now: number;
  /** Octets received and held for readers. */
  heldBytes = 0;
  /** Streams open, and streams that are over while their handler is still at work. */
  occupied = 0;
  /** The connection is over. */
  closed = false;
  /** No further streams: we have sent, or the peer has sent, GOAWAY. */
  draining = false;
  /** The preface and the first SETTINGS of the peer have come. */
  established = false;
  /** The clock and what depends on it. */
  readonly watchdog: Watchdog;

  readonly #events: ConnectionEvents<S>;
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #assembler: HeaderAssembler;
  readonly #closedStreams = new ClosedStreams();
  readonly #resets: TokenBucket;
  readonly #controlFrames: TokenBucket;
  readonly #pings = new Map<number, (ms: number) => void>();
  readonly #pending = new Set<PendingStream<S>>();
  #pingNumber = 0;
  #preface: Preface | null;
  #receiveWindow = DEFAULT_WINDOW_BYTES;
  #windowBytes: number;
  /** Initial windows announced and not yet acknowledged, oldest first. */
  #unacknowledged: number[] = [];
  #initialWindow = DEFAULT_WINDOW_BYTES;
  #lastPeerStream = 0;
  #nextStream = 1;
  /** Streams above are not taken any more. */
  #lastAccepted = MAX_STREAM_ID;
  #goAwaySent = false;
  #wellFormed: HeaderList | null = null;

  constructor(options: ConnectionOptions<S>) {
    const { role, limits } = options;
    this.role = role;
    this.limits = limits;
    this.now = options.now;
    this.#events = options.events;
    this.budget = options.budget ?? new MemoryBudget(limits.maxBufferedBytes);
    this.outbound = new Outbound(this, limits, options.pool ?? new BufferPool(poolBufferBytes(limits)));
    this.#reader = new FrameReader(limits.maxFrameBytes);
    this.#decoder = new HpackDecoder({
      tableBytes: limits.headerTableBytes,
      maxListBytes: limits.maxHeaderListBytes,
      maxFields: limits.maxHeaderFields,
    });
    this.#assembler = new HeaderAssembler(limits);
    this.#resets = new TokenBucket(limits.resetBurst, limits.resetsPerSecond, options.now);
    this.#controlFrames = new TokenBucket(limits.controlFrameBurst, limits.controlFramesPerSecond, options.now);
    this.#windowBytes = limits.connectionWindowBytes;
    this.watchdog = new Watchdog(this, options.now, options.ageJitterMs ?? 0);
    this.#preface = role === "server" ? new Preface() : null;
    if (role === "client") {
      this.outbound.output.raw(CLIENT_PREFACE);
      this.#greet();
    }
  }

  // ---- input

  /** Takes octets from the transport. */
  receive(chunk: Uint8Array, now: number): void {
    this.now = now;
    if (this.closed) return;
    this.watchdog.received(now);
    try {
      let at = 0;
      if (this.#preface !== null) {
        at = this.#readPreface(chunk);
        if (at < 0) return;
      }
      this.#reader.push(chunk, at, this);
    } catch (error) {
      this.fail(asConnectionError(error));
    }
  }

  /** The transport is gone: its end (without `error`) or a failure of it. */
  lost(error: Error | null, now: number): void {
    this.now = now;
    if (this.closed) return;
    const orderly = error === null && this.occupied === 0 && this.established;
    this.#end(orderly ? null : error ?? new ConnectionError(ErrorCode.NO_ERROR, "Peer closed the connection"));
  }

  /** Lets time pass: time outs, keepalive, age. Call it every second or so. */
  tick(now: number): void {
    this.now = now;
    if (!this.closed) this.watchdog.tick(now);
  }

  #readPreface(chunk: Uint8Array): number {
    const result = this.#preface!.push(chunk);
    switch (result.kind) {
      case "more":
        return -1;
      case "http2":
        this.#preface = null;
        this.#greet();
        return result.next;
      case "http1":
        this.outbound.output.raw(HTTP1_ANSWER);
        this.#end(new ConnectionError(ErrorCode.HTTP_1_1_REQUIRED, "Client speaks HTTP/1"));
        return -1;
      case "noise":
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "Connection preface is not of HTTP/2");
    }
  }

  /** Sends our settings and opens the connection's window. */
  #greet(): void {
    const { limits } = this;
    const settings: [number, number][] = [
      [SettingId.HEADER_TABLE_SIZE, limits.headerTableBytes],
      [SettingId.INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
      [SettingId.MAX_FRAME_SIZE, limits.maxFrameBytes],
      [SettingId.MAX_HEADER_LIST_SIZE, limits.maxHeaderListBytes],
    ];
    if (this.role === "server") settings.push([SettingId.MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams]);
    else settings.push([SettingId.ENABLE_PUSH, 0]);
    this.#sendSettings(settings, limits.streamWindowBytes);
    this.#creditConnection();
    this.wake();
  }

  /** A frame from the reader. */
  frame(type: number, flags: number, id: number, source: Uint8Array, start: number, end: number): void {
    if (this.#assembler.streamId !== 0 && (type !== FrameType.CONTINUATION || id !== this.#assembler.streamId)) {
      throw protocolError("Header block is interrupted by another frame");
    }
    if (!this.established && type !== FrameType.SETTINGS) throw protocolError("First frame is not SETTINGS");
    switch (type) {
      case FrameType.DATA:
        return this.#onData(flags, id, source, start, end);
      case FrameType.HEADERS:
        return this.#onHeaders(flags, id, source, start, end);
      case FrameType.PRIORITY:
        return this.#onPriority(id, source, start, end);
      case FrameType.RST_STREAM:
        return this.#onReset(id, source, start, end);
      case FrameType.SETTINGS:
        return this.#onSettings(flags, id, source, start, end);
      case FrameType.PUSH_PROMISE:
        throw protocolError("PUSH_PROMISE is not allowed");
      case FrameType.PING:
        return this.#onPing(flags, id, source, start, end);
      case FrameType.GOAWAY:
        return this.#onGoAway(id, source, start, end);
      case FrameType.WINDOW_UPDATE:
        return this.#onWindowUpdate(id, source, start, end);
      case FrameType.CONTINUATION:
        if (this.#assembler.streamId === 0) throw protocolError("CONTINUATION without a header block");
        return this.#onFragment(flags, source, start, end);
      default:
        return this.#countControlFrame();
    }
  }

  // ---- DATA

  #onData(flags: number, id: number, source: Uint8Array, start: number, end: number): void {
    if (id === 0) throw protocolError("DATA on stream 0");
    const length = end - start;
    let from = start;
    let to = end;
    if (flags & Flag.PADDED) {
      const padding = length > 0 ? source[start]! : 0;
      if (padding >= length) throw protocolError("Padding is longer than the frame");
      from = start + 1;
      to = end - padding;
    }
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) {
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "DATA exceeds the window of the connection");
    }
    const ends = (flags & Flag.END_STREAM) !== 0;
    if (to === from && !ends) this.#countControlFrame();
    const stream = this.streams.get(id);
    if (stream === undefined) this.#strayFrame(id, "DATA");
    else this.#acceptData(stream, length, source, from, to, ends);
    this.#creditConnection();
  }

  #acceptData(stream: S, length: number, source: Uint8Array, from: number, to: number, ends: boolean): void {
    if (stream.remoteClosed) {
      return this.#streamError(stream, ErrorCode.STREAM_CLOSED, "DATA behind the end of the stream");
    }
    if (!stream.headersReceived) {
      return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "DATA before the header list");
    }
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) {
      return this.#streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "DATA exceeds the window of the stream");
    }
    const octets = to - from;
    if (stream.expectedBytes >= 0) {
      stream.expectedBytes -= octets;
      if (stream.expectedBytes < 0 || (ends && stream.expectedBytes !== 0)) {
        return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Body does not have its content-length");
      }
    }
    if (length > octets) stream.uncredited += length - octets;
    if (octets > 0) {
      this.#controlFrames.give(FRAMES_PER_CONTENT);
      // Set before the data is handed up, so that its receiver sees whether more will come.
      stream.remoteClosed = ends;
      stream.deliverData(source, from, to);
    }
    if (ends) this.#remoteEnd(stream);
    else if (length > octets && !stream.closed) this.#creditStream(stream);
  }

  // ---- HEADERS and CONTINUATION

  #onHeaders(flags: number, id: number, source: Uint8Array, start: number, end: number): void {
    if (id === 0) throw protocolError("HEADERS on stream 0");
    let from = start;
    let to = end;
    if (flags & Flag.PADDED) {
      if (to === from) throw frameSizeError("HEADERS");
      to -= source[from++]!;
    }
    let selfDependent = false;
    if (flags & Flag.PRIORITY) {
      if (end - from < PRIORITY_BYTES) throw frameSizeError("HEADERS");
      selfDependent = (get32(source, from) & MAX_STREAM_ID) === id;
      from += PRIORITY_BYTES;
    }
    if (to < from) throw protocolError("Padding is longer than the frame");
    const ends = (flags & Flag.END_STREAM) !== 0;
    this.#assembler.selfDependent = selfDependent;
    if (flags & Flag.END_HEADERS) return this.#onBlock(id, ends, source, from, to);
    if (to === from) this.#countControlFrame();
    this.#assembler.start(id, ends, this.now);
    this.#assembler.add(source, from, to);
  }

  #onFragment(flags: number, source: Uint8Array, start: number, end: number): void {
    const assembler = this.#assembler;
    if (end === start) this.#countControlFrame();
    assembler.add(source, start, end);
    if (!(flags & Flag.END_HEADERS)) return;
    const id = assembler.streamId;
    const block = assembler.finish();
    this.#onBlock(id, assembler.endStream, block, 0, block.length);
  }

  /** Streams that wait for the peer to allow them. */
  get pendingStreams(): number {
    return this.#pending.size;
  }

  /** When the header block that is coming in began, in milliseconds, or -1. */
  get headerBlockStartedAt(): number {
    return this.#assembler.streamId === 0 ? -1 : this.#assembler.startedAt;
  }

  #onBlock(id: number, ends: boolean, source: Uint8Array, start: number, end: number): void {
    // Decoded whatever becomes of it: the compression state is the connection's.
    const block = this.#decoder.decode(source, start, end);
    const stream = this.streams.get(id);
    if (stream !== undefined) return this.#onLaterBlock(stream, block, ends);
    if (this.role === "client" || (id & 1) === 0) return this.#strayFrame(id, "HEADERS");
    if (id <= this.#lastPeerStream) return this.#strayFrame(id, "HEADERS");
    this.#lastPeerStream = id;
    this.#onRequest(id, block, ends);
  }

  #onRequest(id: number, block: DecodedBlock, ends: boolean): void {
    if (id > this.#lastAccepted) return; // GOAWAY has told the client that it must ask elsewhere.
    if (this.#assembler.selfDependent) return this.#refuse(id, ErrorCode.PROTOCOL_ERROR, "Stream depends on itself");
    if (this.occupied >= this.limits.maxConcurrentStreams) {
      return this.#refuse(id, ErrorCode.REFUSED_STREAM, "Too many streams are open");
    }
    if (this.budget.exhausted) return this.#refuse(id, ErrorCode.REFUSED_STREAM, "Server has no memory left");
    const stream = this.#events.createStream();
    stream.id = id;
    if (!block.tooLarge) {
      const problem = this.#check("request", block.headers);
      if (problem !== null) return this.#refuse(id, ErrorCode.PROTOCOL_ERROR, problem);
      stream.expectedBytes = contentLength(block.headers);
      if (Number.isNaN(stream.expectedBytes) || (ends && stream.expectedBytes > 0)) {
        return this.#refuse(id, ErrorCode.PROTOCOL_ERROR, "Body does not have its content-length");
      }
    }
    this.#admit(stream);
    stream.headers = block.headers;
    stream.headersReceived = true;
    stream.remoteClosed = ends;
    if (block.tooLarge) return this.outbound.headers(stream, HEADERS_TOO_LARGE, true);
    this.#controlFrames.give(FRAMES_PER_CONTENT);
    this.#events.onStream(stream);
    if (ends && !stream.closed) stream.deliverEnd();
  }

  /** A header block on an open stream: response, interim response or trailers. */
  #onLaterBlock(stream: S, block: DecodedBlock, ends: boolean): void {
    if (stream.remoteClosed) {
      return this.#streamError(stream, ErrorCode.STREAM_CLOSED, "HEADERS behind the end of the stream");
    }
    if (this.#assembler.selfDependent) {
      return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Stream depends on itself");
    }
    const part = stream.headersReceived ? "trailers" : "response";
    const problem = block.tooLarge ? "Header list is too large" : this.#check(part, block.headers);
    if (problem !== null) return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, problem);
    if (part === "trailers") {
      if (!ends) return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Trailers without END_STREAM");
      if (stream.expectedBytes > 0) {
        return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Body does not have its content-length");
      }
      stream.trailers = block.headers;
      return this.#remoteEnd(stream);
    }
    if (block.headers[0]![1].startsWith("1")) {
      if (ends) return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Interim response ends the stream");
      return this.#countControlFrame();
    }
    stream.expectedBytes = contentLength(block.headers);
    if (Number.isNaN(stream.expectedBytes)) {
      return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Body does not have its content-length");
    }
    this.#controlFrames.give(FRAMES_PER_CONTENT);
    stream.headers = block.headers;
    stream.headersReceived = true;
    stream.remoteClosed = ends;
    stream.deliverHeaders();
    if (ends && !stream.closed) this.#remoteEnd(stream);
  }

  /** Checks a list, unless it is the very one that was found well-formed just before. */
  #check(part: MessagePart, headers: HeaderList): string | null {
    if (part === "request" && headers === this.#wellFormed) return null;
    const problem = findMalformed(part, headers);
    if (problem === null && part === "request") this.#wellFormed = headers;
    return problem;
  }

  /** A frame for a stream that is not open (RFC 9113, section 5.1). */
  #strayFrame(id: number, what: string): void {
    const ours = ((id & 1) === 1) === (this.role === "client");
    if (id >= (ours ? this.#nextStream : this.#lastPeerStream + 1) || (!ours && (id & 1) === 0)) {
      throw protocolError(`${what} on idle stream ${id}`);
    }
    switch (this.#closedStreams.get(id)) {
      case Ended.RESET_BY_US:
        // The peer may not have seen our RST_STREAM yet.
        return this.#countControlFrame();
      case Ended.RESET_BY_PEER:
        this.#countReset();
        return this.#sendReset(id, ErrorCode.STREAM_CLOSED);
      case Ended.DONE:
        throw new ConnectionError(ErrorCode.STREAM_CLOSED, `${what} on closed stream ${id}`);
      default:
        if (what === "DATA" && this.#goAwaySent) return this.#countControlFrame();
        if (what === "HEADERS") throw protocolError(`HEADERS on stream ${id}, which is below the latest`);
        throw new ConnectionError(ErrorCode.STREAM_CLOSED, `${what} on closed stream ${id}`);
    }
  }

  // ---- the other frames

  #onPriority(id: number, source: Uint8Array, start: number, end: number): void {
    if (id === 0) throw protocolError("PRIORITY on stream 0");
    this.#countControlFrame();
    const selfDependent = end - start === PRIORITY_BYTES && (get32(source, start) & MAX_STREAM_ID) === id;
    if (end - start === PRIORITY_BYTES && !selfDependent) return;
    const code = selfDependent ? ErrorCode.PROTOCOL_ERROR : ErrorCode.FRAME_SIZE_ERROR;
    const stream = this.streams.get(id);
    if (stream !== undefined) this.#streamError(stream, code, "PRIORITY frame is malformed");
    else this.#refuse(id, code, "PRIORITY frame is malformed");
  }

  #onReset(id: number, source: Uint8Array, start: number, end: number): void {
    if (id === 0) throw protocolError("RST_STREAM on stream 0");
    if (end - start !== 4) throw frameSizeError("RST_STREAM");
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.#isIdle(id)) throw protocolError(`RST_STREAM on idle stream ${id}`);
      return this.#countControlFrame();
    }
    const code = get32(source, start);
    if (this.role === "server") this.#countReset();
    else this.#countControlFrame();
    this.#close(stream, new StreamClosedError(code, "peer", "Peer reset the stream"), Ended.RESET_BY_PEER);
  }

  #onSettings(flags: number, id: number, source: Uint8Array, start: number, end: number): void {
    if (id !== 0) throw protocolError("SETTINGS on a stream");
    if (flags & Flag.ACK) {
      if (end !== start) throw frameSizeError("SETTINGS");
      return this.#onSettingsAck();
    }
    if ((end - start) % 6 !== 0) throw frameSizeError("SETTINGS");
    this.#countControlFrame();
    const settings = this.peerSettings;
    const oldWindow = settings.initialWindowBytes;
    readSettings(settings, source, start, end);
    if (this.role === "client" && settings.enablePush && !this.established) settings.enablePush = false;
    this.outbound.maxFrameBytes = settings.maxFrameBytes;
    this.outbound.encoder.allowTableBytes(settings.headerTableBytes);
    this.outbound.output.frame(FrameType.SETTINGS, Flag.ACK, 0, 0);
    this.wake();
    if (!this.established) {
      this.established = true;
      this.#events.onEstablished?.();
    }
    const change = settings.initialWindowBytes - oldWindow;
    if (change !== 0) {
      for (const stream of [...this.streams.values()]) {
        if (!this.outbound.widen(stream, change)) {
          throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `Window of stream ${stream.id} passes 2^31 - 1`);
        }
      }
    }
    this.#openPending();
  }

  #onSettingsAck(): void {
    const window = this.#unacknowledged.shift();
    if (window === undefined) return this.#countControlFrame();
    this.#initialWindow = window;
    this.watchdog.settingsAcknowledged(this.#unacknowledged.length > 0);
  }

  #onPing(flags: number, id: number, source: Uint8Array, start: number, end: number): void {
    if (id !== 0) throw protocolError("PING on a stream");
    if (end - start !== 8) throw frameSizeError("PING");
    this.#countControlFrame();
    if (flags & Flag.ACK) {
      const number = get32(source, start + 4) >>> 0;
      const done = this.#pings.get(number);
      if (done === undefined || get32(source, start) !== 0) return;
      this.#pings.delete(number);
      return done(this.now);
    }
    const at = this.outbound.output.frame(FrameType.PING, Flag.ACK, 0, 8);
    this.outbound.output.buffer.set(source.subarray(start, end), at);
    this.wake();
  }

  #onGoAway(id: number, source: Uint8Array, start: number, end: number): void {
    if (id !== 0) throw protocolError("GOAWAY on a stream");
    if (end - start < 8) throw frameSizeError("GOAWAY");
    this.#countControlFrame();
    const last = get32(source, start) & MAX_STREAM_ID;
    const code = get32(source, start + 4) >>> 0;
    this.#startDraining();
    if (this.role === "client") {
      const error = new StreamClosedError(code, "connection", "Server goes away", { unprocessed: true });
      for (const stream of [...this.streams.values()]) {
        if (stream.id > last) this.#close(stream, error, Ended.RESET_BY_PEER);
      }
      this.#dropPending(error);
    }
    this.#endIfDrained();
  }

  #onWindowUpdate(id: number, source: Uint8Array, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError("WINDOW_UPDATE");
    this.#countControlFrame();
    const increment = get32(source, start) & MAX_STREAM_ID;
    if (id === 0) {
      if (increment === 0) throw protocolError("WINDOW_UPDATE of 0");
      return this.outbound.widenConnection(increment);
    }
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.#isIdle(id)) throw protocolError(`WINDOW_UPDATE on idle stream ${id}`);
      return;
    }
    if (increment === 0) return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
    if (!this.outbound.widen(stream, increment)) {
      this.#streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "Window of the stream passes 2^31 - 1");
    }
  }

  #isIdle(id: number): boolean {
    const ours = ((id & 1) === 1) === (this.role === "client");
    return ours ? id >= this.#nextStream : id > this.#lastPeerStream;
  }

  // ---- counting what peers do to us

  #countControlFrame(): void {
    if (!this.#controlFrames.take(this.now)) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Too many frames without progress");
    }
  }

  #countReset(): void {
    if (!this.#resets.take(this.now)) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Too many streams were reset");
    }
  }

  /** Content went out: the peer may answer it with window updates and pings. */
  sentContent(): void {
    this.#controlFrames.give(FRAMES_PER_CONTENT);
  }

  // ---- flow control of what we receive

  /** The reader of a stream has taken `bytes` that it was given. */
  consumed(stream: S, bytes: number): void {
    stream.uncredited += bytes;
    if (!stream.remoteClosed && !stream.closed) this.#creditStream(stream);
  }

  /** `bytes` received are being held for a reader of the stream. */
  hold(stream: S, bytes: number): void {
    stream.heldBytes += bytes;
    this.heldBytes += bytes;
    this.budget.usedBytes += bytes;
  }

  /** `bytes` held for the stream are held no more. */
  release(stream: S, bytes: number): void {
    stream.heldBytes -= bytes;
    this.heldBytes -= bytes;
    this.budget.usedBytes -= bytes;
    if (!this.closed) this.#creditConnection();
  }

  #creditStream(stream: S): void {
    // Half a window at a time: few updates, and the sender is never short.
    if (stream.uncredited * 2 < this.limits.streamWindowBytes) return;
    this.outbound.output.numbers(FrameType.WINDOW_UPDATE, stream.id, stream.uncredited);
    stream.receiveWindow += stream.uncredited;
    stream.uncredited = 0;
    this.wake();
  }

  #creditConnection(): void {
    // Opened as octets come in, not as they are read: a slow reader stops its own stream, not the others. Past the limits
    // of what may be held, reading alone opens it.
    let target = Math.min(this.#windowBytes, this.limits.maxBufferedBytesPerConnection - this.heldBytes);
    if (this.budget.exhausted) target = Math.min(target, this.#windowBytes - this.heldBytes);
    const credit = target - this.#receiveWindow;
    if (credit * 2 < this.#windowBytes && this.#receiveWindow * 2 > this.#windowBytes) return;
    if (credit <= 0) return;
    this.outbound.output.numbers(FrameType.WINDOW_UPDATE, 0, credit);
    this.#receiveWindow += credit;
    this.wake();
  }

  // ---- what those above do

  /** Sends a header list on a stream. See {@linkcode Outbound.headers}. */
  sendHeaders(stream: S, headers: HeaderList | PreparedHeaders, end: boolean): void {
    this.outbound.headers(stream, headers, end);
  }

  /**
   * Opens a stream (client). It waits while the server allows no more; then its header list goes out first.
   *
   * @throws {StreamClosedError} when the connection is draining or over, or too many streams wait.
   */
  open(stream: S, headers: HeaderList | PreparedHeaders, end: boolean): void {
    if (this.draining || this.closed) {
      throw new StreamClosedError(ErrorCode.REFUSED_STREAM, "connection", "Connection takes no new streams");
    }
    const limit = this.established ? this.peerSettings.maxConcurrentStreams : 100;
    if (this.occupied < limit && this.#pending.size === 0) return this.#open(stream, headers, end);
    if (this.#pending.size >= this.limits.maxPendingStreams) {
      throw new StreamClosedError(ErrorCode.REFUSED_STREAM, "local", "Too many streams wait to be opened");
    }
    this.#pending.add({ stream, headers, end });
  }

  #open(stream: S, headers: HeaderList | PreparedHeaders, end: boolean): void {
    stream.id = this.#nextStream;
    this.#nextStream += 2;
    this.#admit(stream);
    this.outbound.headers(stream, headers, end);
    if (this.#nextStream > MAX_STREAM_ID) this.shutdown();
    this.outbound.resume(stream);
  }

  #openPending(): void {
    for (const pending of this.#pending) {
      if (this.occupied >= this.peerSettings.maxConcurrentStreams || this.draining) return;
      this.#pending.delete(pending);
      if (!pending.stream.closed) this.#open(pending.stream, pending.headers, pending.end);
    }
  }

  #dropPending(error: StreamClosedError): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const { stream } of pending) if (!stream.closed) this.#close(stream, error, Ended.DONE);
  }

  /** Ends a stream with RST_STREAM. */
  reset(stream: S, code: number, message: string): void {
    if (stream.closed) return;
    if (stream.id !== 0) this.#sendReset(stream.id, code);
    this.#close(stream, new StreamClosedError(code, "local", message), Ended.RESET_BY_US);
  }

  /** The stream has seen its window shut for too long. */
  expire(stream: StreamCore): void {
    this.reset(stream as S, ErrorCode.ENHANCE_YOUR_CALM, "Peer did not open the window for too long");
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

  /** Pings the peer; `done` gets the moment of the answer. */
  ping(done: (now: number) => void): void {
    if (this.closed) return;
    const number = this.#pingNumber = (this.#pingNumber + 1) >>> 0;
    this.#pings.set(number, done);
    const at = this.outbound.output.frame(FrameType.PING, 0, 0, 8);
    const buffer = this.outbound.output.buffer;
    buffer.fill(0, at, at + 4);
    for (let octet = 0; octet < 4; octet++) buffer[at + 4 + octet] = number >>> (24 - octet * 8);
    this.wake();
  }

  /** Changes what we allow the peer while the connection lives. */
  updateSettings(changed: { streamWindowBytes?: number; maxConcurrentStreams?: number }): void {
    if (this.closed) return;
    const settings: [number, number][] = [];
    if (changed.maxConcurrentStreams !== undefined) {
      settings.push([SettingId.MAX_CONCURRENT_STREAMS, changed.maxConcurrentStreams]);
    }
    if (changed.streamWindowBytes !== undefined) {
      settings.push([SettingId.INITIAL_WINDOW_SIZE, changed.streamWindowBytes]);
    }
    this.#sendSettings(settings, changed.streamWindowBytes ?? this.limits.streamWindowBytes);
  }

  #sendSettings(settings: [number, number][], initialWindow: number): void {
    const payload = settingsPayload(settings);
    const at = this.outbound.output.frame(FrameType.SETTINGS, 0, 0, payload.length);
    this.outbound.output.buffer.set(payload, at);
    this.#unacknowledged.push(initialWindow);
    this.watchdog.settingsSent(this.now);
    this.wake();
  }

  /**
   * Drains the connection: first GOAWAY that names no stream and a ping, and once that is answered (or late) a second with the
   * last stream taken, so that no request on its way is lost (RFC 9113, section 6.8). It ends with its last stream.
   */
  shutdown(): void {
    if (this.closed || this.#goAwaySent) return;
    this.#goAwaySent = true;
    this.#startDraining();
    if (this.role === "client" || !this.established) {
      this.#sendGoAway(this.#lastPeerStream, ErrorCode.NO_ERROR, "");
      return this.#endIfDrained();
    }
    this.#sendGoAway(MAX_STREAM_ID, ErrorCode.NO_ERROR, "");
    this.ping(() => this.finalGoAway());
  }

  /** The second step of {@linkcode Connection.shutdown}. */
  finalGoAway(): void {
    if (this.closed || this.role === "client" || !this.#goAwaySent || this.#lastAccepted !== MAX_STREAM_ID) return;
    this.#lastAccepted = this.#lastPeerStream;
    this.#sendGoAway(this.#lastAccepted, ErrorCode.NO_ERROR, "");
    this.#endIfDrained();
  }

  /** Ends the connection at once with GOAWAY. */
  fail(error: ConnectionError): void {
    if (this.closed) return;
    if (this.#preface === null) this.#sendGoAway(this.#lastPeerStream, error.code, error.message);
    this.#end(error);
  }

  // ---- output

  /** Octets for the transport, or null; to be given back by {@linkcode Connection.written}. */
  takeOutput(): Uint8Array | null {
    const taken = this.outbound.output.take();
    if (taken !== null) this.watchdog.writing(this.now);
    return taken;
  }

  /** The transport has taken what {@linkcode Connection.takeOutput} gave. */
  written(taken: Uint8Array, now: number): void {
    this.now = now;
    this.outbound.output.recycle(taken);
    this.watchdog.written();
    if (!this.closed) this.outbound.pump();
  }

  /** Says that frames wait. */
  wake(): void {
    if (this.outbound.output.length > this.limits.maxOutputBytes && !this.closed) {
      return this.#end(new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Peer does not read what it makes us answer"));
    }
    this.#events.onOutput();
  }

  #sendReset(id: number, code: number): void {
    this.outbound.output.numbers(FrameType.RST_STREAM, id, code);
    this.wake();
  }

  #sendGoAway(last: number, code: number, message: string): void {
    this.#goAwaySent = true;
    const text = new TextEncoder().encode(message);
    const at = this.outbound.output.frame(FrameType.GOAWAY, 0, 0, 8 + text.length);
    const view = new DataView(this.outbound.output.buffer.buffer);
    view.setUint32(at, last);
    view.setUint32(at + 4, code);
    this.outbound.output.buffer.set(text, at + 8);
    this.wake();
  }

  // ---- beginnings and ends

  #admit(stream: S): void {
    stream.sendWindow = this.peerSettings.initialWindowBytes;
    // Until our SETTINGS are acknowledged the peer may go by the older, larger window.
    stream.receiveWindow = Math.max(this.#initialWindow, this.limits.streamWindowBytes, ...this.#unacknowledged);
    this.streams.set(stream.id, stream);
    this.occupied++;
  }

  #remoteEnd(stream: S): void {
    stream.remoteClosed = true;
    stream.deliverEnd();
    if (stream.localClosed && !stream.closed) this.#close(stream, null, Ended.DONE);
  }

  /** Our side of the stream has ended on the wire. */
  localEnd(stream: StreamCore): void {
    if (stream.remoteClosed) return this.#close(stream as S, null, Ended.DONE);
    // A complete response makes the rest of the request pointless (RFC 9113, section 8.1).
    if (this.role === "server") {
      this.#sendReset(stream.id, ErrorCode.NO_ERROR);
      this.#close(stream as S, null, Ended.RESET_BY_US);
    }
  }

  /** The peer broke a rule on an open stream. */
  #streamError(stream: S, code: number, message: string): void {
    this.#sendReset(stream.id, code);
    this.#close(stream, new StreamClosedError(code, "local", message), Ended.RESET_BY_US);
    this.#countReset();
  }

  /** Turns a stream away that has not come to be. */
  #refuse(id: number, code: number, _message: string): void {
    this.#closedStreams.add(id, Ended.RESET_BY_US);
    this.#sendReset(id, code);
    this.#countReset();
  }

  #close(stream: S, error: StreamClosedError | null, how: number): void {
    stream.closed = true;
    stream.closeError = error;
    if (this.streams.delete(stream.id)) {
      this.#closedStreams.add(stream.id, how);
      if (stream.pins === 0) this.#vacate();
    }
    if (stream.queue !== null) {
      this.outbound.abandon(stream, error ?? new StreamClosedError(ErrorCode.NO_ERROR, "local", "Stream is over"));
    }
    stream.deliverClosed();
  }

  #vacate(): void {
    this.occupied--;
    if (this.#pending.size > 0 && !this.closed) this.#openPending();
    if (this.occupied === 0) {
      this.watchdog.idle(this.now);
      this.#endIfDrained();
    }
  }

  #startDraining(): void {
    if (this.draining) return;
    this.draining = true;
    this.watchdog.drainingSince(this.now);
    this.#events.onDraining?.();
  }

  #endIfDrained(): void {
    if (!this.draining || this.closed || this.occupied > 0 || this.#pending.size > 0) return;
    // A server waits for its second GOAWAY to go out; one that was told to go by its client need not.
    if (this.role === "server" && this.#goAwaySent && this.#lastAccepted === MAX_STREAM_ID && this.established) return;
    this.#end(null);
  }

  #end(error: Error | null): void {
    if (this.closed) return;
    this.closed = true;
    this.#reader.stop();
    const code = error instanceof ConnectionError ? error.code : ErrorCode.INTERNAL_ERROR;
    const message = error === null ? "Connection is over" : "Connection was lost";
    const why = new StreamClosedError(code, "connection", message, { cause: error, unprocessed: false });
    for (const stream of [...this.streams.values()]) this.#close(stream, why, Ended.RESET_BY_US);
    this.#dropPending(new StreamClosedError(code, "connection", message, { cause: error, unprocessed: true }));
    this.#pings.clear();
    this.#events.onClosed(error);
  }
}

interface PendingStream<S extends StreamCore> {
  readonly stream: S;
  readonly headers: HeaderList | PreparedHeaders;
  readonly end: boolean;
}

/** Size of output buffers: data up to its limit, one frame more, and some control frames. */
export function poolBufferBytes(limits: Http2Limits): number {
  return limits.outputBytes + 20_480;
}

function get32(source: Uint8Array, at: number): number {
  return (source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!;
}

function protocolError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.PROTOCOL_ERROR, message);
}

function frameSizeError(frame: string): ConnectionError {
  return new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `${frame} frame has a wrong length`);
}

function asConnectionError(error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  if (error instanceof HpackError) {
    return new ConnectionError(ErrorCode.COMPRESSION_ERROR, error.message, { cause: error });
  }
  return new ConnectionError(ErrorCode.INTERNAL_ERROR, "Connection failed", { cause: error });
}
