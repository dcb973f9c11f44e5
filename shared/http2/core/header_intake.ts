import { type DecodedBlock, type HeaderList, HpackDecoder } from "../hpack/mod.ts";
import { ErrorCode, Flag, MAX_STREAM_ID } from "./constants.ts";
import { ConnectionError } from "./errors.ts";
import { findMalformed, type MessagePart } from "./header_rules.ts";
import type { Http2Limits } from "./limits.ts";
import { get32 } from "./octets.ts";

const EMPTY = new Uint8Array(0);
/** Octets of the priority fields of a HEADERS frame. */
const PRIORITY_BYTES = 5;

/** Takes header blocks apart: padding, priority fields, fragments and HPACK. */
export class HeaderIntake {
  readonly #limits: Http2Limits;
  readonly #decoder: HpackDecoder;
  #fragments = EMPTY;
  #length = 0;
  #frames = 0;
  #wellFormed: HeaderList | null = null;
  /** The stream whose block is incomplete, or 0. */
  streamId = 0;
  /** When that block began, in milliseconds, or -1. */
  startedAt = -1;
  /** The latest HEADERS frame had END_STREAM. */
  endStream = false;
  /** The latest HEADERS frame made its stream depend on itself. */
  selfDependent = false;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
    this.#decoder = new HpackDecoder({
      tableBytes: limits.headerTableBytes,
      maxListBytes: limits.maxHeaderListBytes,
      maxFields: limits.maxHeaderFields,
    });
  }

  /** Drops what is held. */
  stop(): void {
    this.#fragments = EMPTY;
    this.streamId = 0;
    this.startedAt = -1;
  }

  /**
   * Takes a HEADERS frame.
   *
   * @returns The list when the block is whole, null when CONTINUATION has to follow.
   * @throws {ConnectionError} when the frame is malformed, {@linkcode HpackError} when the block is.
   */
  headers(flags: number, id: number, source: Uint8Array, start: number, end: number, now: number): DecodedBlock | null {
    let from = start;
    let to = end;
    if (flags & Flag.PADDED) {
      if (to === from) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "HEADERS frame is too short");
      to -= source[from++]!;
    }
    this.selfDependent = false;
    if (flags & Flag.PRIORITY) {
      if (end - from < PRIORITY_BYTES) {
        throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "HEADERS frame is too short");
      }
      this.selfDependent = (get32(source, from) & MAX_STREAM_ID) === id;
      from += PRIORITY_BYTES;
    }
    if (to < from) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "Padding is longer than the frame");
    this.endStream = (flags & Flag.END_STREAM) !== 0;
    if (flags & Flag.END_HEADERS) return this.#decoder.decode(source, from, to);
    this.streamId = id;
    this.startedAt = now;
    this.#length = 0;
    this.#frames = 0;
    this.#add(source, from, to);
    return null;
  }

  /** Takes a CONTINUATION frame; otherwise like {@linkcode HeaderIntake.headers}. */
  continuation(flags: number, source: Uint8Array, start: number, end: number): DecodedBlock | null {
    this.#add(source, start, end);
    if (!(flags & Flag.END_HEADERS)) return null;
    const block = this.#fragments;
    this.stop();
    return this.#decoder.decode(block, 0, this.#length);
  }

  /** What is wrong with a list, or null; a list that was found well-formed just before is not looked at again. */
  findMalformed(part: MessagePart, headers: HeaderList): string | null {
    if (part === "request" && headers === this.#wellFormed) return null;
    const problem = findMalformed(part, headers);
    if (problem === null && part === "request") this.#wellFormed = headers;
    return problem;
  }

  #add(source: Uint8Array, start: number, end: number): void {
    const needed = this.#length + end - start;
    if (this.#frames++ > this.#limits.maxContinuationFrames) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Header block has too many CONTINUATION frames");
    }
    // A block is rarely longer than its list; one that is takes the connection down before it is whole.
    const limit = this.#limits.maxHeaderListBytes * 2;
    if (needed > limit) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, `Header block is longer than ${limit} octets`);
    }
    if (needed > this.#fragments.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(limit, this.#fragments.length * 2)));
      grown.set(this.#fragments.subarray(0, this.#length));
      this.#fragments = grown;
    }
    this.#fragments.set(source.subarray(start, end), this.#length);
    this.#length = needed;
  }
}
