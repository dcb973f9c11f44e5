import type { DecodedBlock, HeaderList } from "../hpack/mod.ts";
import { Ended } from "./closed_streams.ts";
import { ErrorCode, Flag, FrameType, MAX_STREAM_ID } from "./constants.ts";
import { ConnectionError, StreamClosedError } from "./errors.ts";
import { FrameMeter } from "./frame_meter.ts";
import type { FrameSink } from "./frame_reader.ts";
import { HeaderIntake } from "./header_intake.ts";
import { contentLength } from "./header_rules.ts";
import type { InboundWindow } from "./inbound_window.ts";
import type { Http2Limits } from "./limits.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import { get32 } from "./octets.ts";
import type { Outbound } from "./outbound.ts";
import type { StreamCore } from "./stream_core.ts";
import type { StreamTable } from "./stream_table.ts";

/** What the receiving half asks of its connection. */
export interface InboundHost<S extends StreamCore> {
  readonly role: "server" | "client";
  readonly limits: Http2Limits;
  readonly budget: MemoryBudget;
  readonly outbound: Outbound;
  readonly window: InboundWindow;
  readonly table: StreamTable<S>;
  readonly now: number;
  readonly established: boolean;
  /** The largest stream that we still take; GOAWAY has told the peer that it must ask elsewhere for those above. */
  readonly lastAccepted: number;
  /** Streams that the peer may have open. */
  readonly maxConcurrentStreams: number;
  createStream(): S;
  admit(stream: S): void;
  announce(stream: S): void;
  remoteEnd(stream: S): void;
  close(stream: S, error: StreamClosedError | null, how: number): void;
  sendReset(id: number, code: number): void;
  settings(source: Uint8Array, start: number, end: number): void;
  settingsAcknowledged(): boolean;
  ping(source: Uint8Array, start: number, end: number, answer: boolean): void;
  goAway(lastStream: number, code: number): void;
}

/** The answer to a header list past its limits (RFC 6585, section 5). */
const HEADERS_TOO_LARGE: HeaderList = [[":status", "431"]];

/** The receiving half of a connection: what each frame means (RFC 9113, sections 5 and 6), and what too many of them mean. */
export class Inbound<S extends StreamCore> implements FrameSink {
  readonly #host: InboundHost<S>;
  readonly #headers: HeaderIntake;
  readonly #meter: FrameMeter;

  constructor(host: InboundHost<S>) {
    const { limits, now } = host;
    this.#host = host;
    this.#headers = new HeaderIntake(limits);
    this.#meter = new FrameMeter(limits, now);
  }

  /** When the header block that is coming in began, in milliseconds, or -1. */
  get headerBlockStartedAt(): number {
    return this.#headers.startedAt;
  }

  /** Drops what is held. */
  stop(): void {
    this.#headers.stop();
  }

  frame(type: number, flags: number, id: number, source: Uint8Array, start: number, end: number): void {
    const pending = this.#headers.streamId;
    if (pending !== 0 && (type !== FrameType.CONTINUATION || id !== pending)) {
      throw protocolError("Header block is interrupted by another frame");
    }
    if (!this.#host.established && (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0)) {
      throw protocolError("First frame is not SETTINGS");
    }
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
        return this.#onContinuation(flags, id, source, start, end);
      default:
        return this.#meter.controlFrame(this.#host.now); // Unknown frames are ignored (RFC 9113, section 5.5).
    }
  }

  /** Content went out or came in: the peer may follow it with window updates and pings. */
  content(): void {
    this.#meter.content();
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
    const { window, table } = this.#host;
    window.receive(length);
    const ends = (flags & Flag.END_STREAM) !== 0;
    if (to === from && !ends) this.#meter.controlFrame(this.#host.now);
    const stream = table.open.get(id);
    if (stream === undefined) this.#strayFrame(id, "DATA", to - from);
    else this.#acceptData(stream, length, source, from, to, ends);
    window.credit();
  }

  #acceptData(stream: S, length: number, source: Uint8Array, from: number, to: number, ends: boolean): void {
    if (stream.remoteClosed) {
      return this.#streamError(stream, ErrorCode.STREAM_CLOSED, "DATA behind the end of the stream");
    }
    if (!stream.headersReceived) {
      return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "DATA before the header list");
    }
    stream.receiveWindow -= length;
    // A smaller initial window may have made it negative; an empty frame needs no window.
    if (stream.receiveWindow < 0 && length > 0) {
      return this.#streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "DATA exceeds the window of the stream");
    }
    const octets = to - from;
    if (stream.expectedBytes >= 0) {
      stream.expectedBytes -= octets;
      if (stream.expectedBytes < 0 || (ends && stream.expectedBytes !== 0)) {
        return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Body does not have its content-length");
      }
    }
    // Set before the data is handed up, so that its receiver sees whether more will come.
    stream.remoteClosed = ends;
    if (octets > 0) {
      this.content();
      stream.receivedAt = this.#host.now;
      stream.deliverData(source, from, to);
    }
    if (stream.closed) return;
    if (ends) this.#host.remoteEnd(stream);
    else if (length > octets) this.#host.window.consumed(stream, length - octets);
  }

  // ---- HEADERS and CONTINUATION

  #onHeaders(flags: number, id: number, source: Uint8Array, start: number, end: number): void {
    if (id === 0) throw protocolError("HEADERS on stream 0");
    // Decoded whatever becomes of it: the compression state is the connection's.
    const block = this.#headers.headers(flags, id, source, start, end, this.#host.now);
    if (block !== null) this.#onBlock(id, block);
    else if (end === start) this.#meter.controlFrame(this.#host.now);
  }

  #onContinuation(flags: number, id: number, source: Uint8Array, start: number, end: number): void {
    if (this.#headers.streamId === 0) throw protocolError("CONTINUATION without a header block");
    if (end === start) this.#meter.controlFrame(this.#host.now);
    const block = this.#headers.continuation(flags, source, start, end);
    if (block !== null) this.#onBlock(id, block);
  }

  #onBlock(id: number, block: DecodedBlock): void {
    const { table, role } = this.#host;
    const stream = table.open.get(id);
    if (stream !== undefined) return this.#onLaterBlock(stream, block);
    if (role === "client" || (id & 1) === 0 || id <= table.lastPeer) return this.#strayFrame(id, "HEADERS");
    table.lastPeer = id;
    if (id <= this.#host.lastAccepted) this.#onRequest(id, block);
  }

  #onRequest(id: number, block: DecodedBlock): void {
    const host = this.#host;
    const ends = this.#headers.endStream;
    if (this.#headers.selfDependent) return this.#refuse(id, ErrorCode.PROTOCOL_ERROR);
    if (host.table.occupied >= host.maxConcurrentStreams || host.budget.strained) {
      return this.#refuse(id, ErrorCode.REFUSED_STREAM);
    }
    let expectedBytes = -1;
    if (!block.tooLarge) {
      if (this.#headers.findMalformed("request", block.headers) !== null) {
        return this.#refuse(id, ErrorCode.PROTOCOL_ERROR);
      }
      expectedBytes = contentLength(block.headers);
      if (Number.isNaN(expectedBytes) || (ends && expectedBytes > 0)) return this.#refuse(id, ErrorCode.PROTOCOL_ERROR);
    }
    const stream = host.createStream();
    stream.id = id;
    stream.headers = block.headers;
    stream.expectedBytes = expectedBytes;
    stream.headersReceived = true;
    stream.remoteClosed = ends;
    host.admit(stream);
    if (block.tooLarge) return host.outbound.headers(stream, HEADERS_TOO_LARGE, true);
    this.content();
    host.announce(stream);
    if (ends && !stream.closed) host.remoteEnd(stream);
  }

  /** A header block on an open stream: response, interim response or trailers. */
  #onLaterBlock(stream: S, block: DecodedBlock): void {
    const ends = this.#headers.endStream;
    if (stream.remoteClosed) {
      return this.#streamError(stream, ErrorCode.STREAM_CLOSED, "HEADERS behind the end of the stream");
    }
    if (this.#headers.selfDependent) {
      return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Stream depends on itself");
    }
    const part = stream.headersReceived ? "trailers" : "response";
    const problem = block.tooLarge ? "Header list is too large" : this.#headers.findMalformed(part, block.headers);
    if (problem !== null) return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, problem);
    if (part === "response") return this.#onResponse(stream, block.headers, ends);
    if (!ends) return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Trailers without END_STREAM");
    if (stream.expectedBytes > 0) {
      return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Body does not have its content-length");
    }
    stream.trailers = block.headers;
    this.#host.remoteEnd(stream);
  }

  #onResponse(stream: S, headers: HeaderList, ends: boolean): void {
    if (headers[0]![1].startsWith("1")) {
      if (ends) return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Interim response ends the stream");
      return this.#meter.controlFrame(this.#host.now);
    }
    stream.expectedBytes = contentLength(headers);
    if (Number.isNaN(stream.expectedBytes)) {
      return this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "Two lengths of content, or none that is a number");
    }
    this.content();
    stream.headers = headers;
    stream.headersReceived = true;
    stream.remoteClosed = ends;
    stream.deliverHeaders();
    if (ends && !stream.closed) this.#host.remoteEnd(stream);
  }

  // ---- the other frames

  #onPriority(id: number, source: Uint8Array, start: number, end: number): void {
    if (id === 0) throw protocolError("PRIORITY on stream 0");
    this.#meter.controlFrame(this.#host.now);
    // Priorities are ignored (RFC 9113, section 5.3.2); only their form is checked.
    if (end - start !== 5) return this.#malformedPriority(id, ErrorCode.FRAME_SIZE_ERROR);
    if ((get32(source, start) & MAX_STREAM_ID) === id) this.#malformedPriority(id, ErrorCode.PROTOCOL_ERROR);
  }

  #malformedPriority(id: number, code: number): void {
    const stream = this.#host.table.open.get(id);
    if (stream !== undefined) this.#streamError(stream, code, "PRIORITY frame is malformed");
    else this.#refuse(id, code);
  }

  #onReset(id: number, source: Uint8Array, start: number, end: number): void {
    if (id === 0) throw protocolError("RST_STREAM on stream 0");
    if (end - start !== 4) throw frameSizeError("RST_STREAM");
    const { table, role } = this.#host;
    const stream = table.open.get(id);
    if (stream === undefined) {
      if (table.isIdle(id)) throw protocolError(`RST_STREAM on idle stream ${id}`);
      return this.#meter.controlFrame(this.#host.now);
    }
    if (role === "server") this.#meter.reset(this.#host.now);
    else this.#meter.controlFrame(this.#host.now);
    const code = get32(source, start) >>> 0;
    // Behind a complete response, NO_ERROR says only that the rest of the request is not wanted (RFC 9113, section 8.1).
    const complete = role === "client" && code === ErrorCode.NO_ERROR && stream.remoteClosed;
    const error = complete ? null : new StreamClosedError(code, "peer", "Peer reset the stream");
    this.#host.close(stream, error, Ended.RESET_BY_PEER);
  }

  #onSettings(flags: number, id: number, source: Uint8Array, start: number, end: number): void {
    if (id !== 0) throw protocolError("SETTINGS on a stream");
    if (flags & Flag.ACK) {
      if (end !== start) throw frameSizeError("SETTINGS");
      if (!this.#host.settingsAcknowledged()) this.#meter.controlFrame(this.#host.now);
      return;
    }
    if ((end - start) % 6 !== 0) throw frameSizeError("SETTINGS");
    this.#meter.controlFrame(this.#host.now);
    this.#host.settings(source, start, end);
  }

  #onPing(flags: number, id: number, source: Uint8Array, start: number, end: number): void {
    if (id !== 0) throw protocolError("PING on a stream");
    if (end - start !== 8) throw frameSizeError("PING");
    this.#meter.controlFrame(this.#host.now);
    this.#host.ping(source, start, end, (flags & Flag.ACK) !== 0);
  }

  #onGoAway(id: number, source: Uint8Array, start: number, end: number): void {
    if (id !== 0) throw protocolError("GOAWAY on a stream");
    if (end - start < 8) throw frameSizeError("GOAWAY");
    this.#meter.controlFrame(this.#host.now);
    this.#host.goAway(get32(source, start) & MAX_STREAM_ID, get32(source, start + 4) >>> 0);
  }

  #onWindowUpdate(id: number, source: Uint8Array, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError("WINDOW_UPDATE");
    this.#meter.controlFrame(this.#host.now);
    const { table, outbound } = this.#host;
    const increment = get32(source, start) & MAX_STREAM_ID;
    if (id === 0) {
      if (increment === 0) throw protocolError("WINDOW_UPDATE of 0");
      return outbound.widenConnection(increment);
    }
    const stream = table.open.get(id);
    if (stream === undefined) {
      if (table.isIdle(id)) throw protocolError(`WINDOW_UPDATE on idle stream ${id}`);
    } else if (increment === 0) this.#streamError(stream, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0");
    else if (!outbound.widen(stream, increment)) {
      this.#streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "Window of the stream passes 2^31 - 1");
    }
  }

  // ---- what is wrong, and how often

  /** DATA or HEADERS for a stream that is not open (RFC 9113, section 5.1). */
  #strayFrame(id: number, what: "DATA" | "HEADERS", octets = 0): void {
    const { table, lastAccepted } = this.#host;
    if (table.isIdle(id)) throw protocolError(`${what} on idle stream ${id}`);
    if (id > lastAccepted) return this.#meter.controlFrame(this.#host.now); // GOAWAY and this frame have crossed.
    switch (table.ended.get(id)) {
      case Ended.RESET_BY_US:
        return this.#meter.lateFrame(octets, this.#host.now);
      case Ended.RESET_BY_PEER:
        this.#meter.reset(this.#host.now);
        return this.#host.sendReset(id, ErrorCode.STREAM_CLOSED);
      case Ended.UNKNOWN:
        if (what === "HEADERS") throw protocolError(`HEADERS on stream ${id}, which is below the latest`);
    }
    throw new ConnectionError(ErrorCode.STREAM_CLOSED, `${what} on closed stream ${id}`);
  }

  /** The peer broke a rule on an open stream. */
  #streamError(stream: S, code: number, message: string): void {
    this.#host.sendReset(stream.id, code);
    this.#host.close(stream, new StreamClosedError(code, "local", message), Ended.RESET_BY_US);
    this.#meter.reset(this.#host.now);
  }

  /** Turns a stream away that has not come to be. */
  #refuse(id: number, code: number): void {
    this.#host.table.ended.add(id, Ended.RESET_BY_US);
    this.#host.sendReset(id, code);
    this.#meter.reset(this.#host.now);
  }
}

function protocolError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.PROTOCOL_ERROR, message);
}

function frameSizeError(frame: string): ConnectionError {
  return new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `${frame} frame has a wrong length`);
}
