import { ErrorCode, Flag, FRAME_HEADER_BYTES, FrameType } from "./constants.ts";
import { ConnectionError } from "./errors.ts";

/** Receives frames; `source[start, end)` is the payload, valid during the call only. */
export interface FrameSink {
  frame(type: number, flags: number, streamId: number, source: Uint8Array, start: number, end: number): void;
}

/**
 * Cuts a byte stream into frames. Frames come out whole, but for DATA without padding: what there is of it comes out at once, as
 * frames of its own whose last has the flags. So at most one frame of another kind is ever held.
 */
export class FrameReader {
  readonly #maxFrameBytes: number;
  #partial: Uint8Array | null = null;
  #filled = 0;
  /** Octets that are still to come of a DATA frame, and what its header said. */
  #dataLeft = 0;
  #dataFlags = 0;
  #dataStream = 0;
  #stopped = false;

  /** @param maxFrameBytes Our SETTINGS_MAX_FRAME_SIZE. */
  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Octets of the incomplete frame held. */
  get pendingBytes(): number {
    return this.#filled;
  }

  /** Stops the reading, within a call of `push` too, and drops what is held. */
  stop(): void {
    this.#stopped = true;
    this.#partial = null;
    this.#filled = 0;
    this.#dataLeft = 0;
  }

  /**
   * Reads on in `chunk[at...)`.
   *
   * @throws {ConnectionError} when a frame announces more than the allowed length, before anything of it is kept.
   */
  push(chunk: Uint8Array, at: number, sink: FrameSink): void {
    while (at < chunk.length && !this.#stopped) {
      if (this.#dataLeft > 0) at = this.#continueData(chunk, at, sink);
      else if (this.#partial !== null) at = this.#complete(chunk, at, sink);
      else at = this.#next(chunk, at, sink);
    }
  }

  /** Reads a frame that begins at `at`; returns where to read on. */
  #next(chunk: Uint8Array, at: number, sink: FrameSink): number {
    const rest = chunk.length - at;
    if (rest >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + this.#length(chunk, at);
      if (end <= chunk.length) {
        sink.frame(
          chunk[at + 3]!,
          chunk[at + 4]!,
          streamId(chunk, at),
          chunk,
          at + FRAME_HEADER_BYTES,
          end,
        );
        return end;
      }
      if (this.#beginData(chunk, at, end - at - FRAME_HEADER_BYTES)) return at + FRAME_HEADER_BYTES;
      this.#partial = new Uint8Array(end - at);
    } else this.#partial = new Uint8Array(FRAME_HEADER_BYTES);
    this.#partial.set(chunk.subarray(at));
    this.#filled = rest;
    return chunk.length;
  }

  /** Adds to the frame held, delivers it when it is whole, and returns where to read on. */
  #complete(chunk: Uint8Array, at: number, sink: FrameSink): number {
    const partial = this.#partial!;
    const take = Math.min(partial.length - this.#filled, chunk.length - at);
    partial.set(chunk.subarray(at, at + take), this.#filled);
    this.#filled += take;
    at += take;
    if (this.#filled < partial.length) return at;
    if (partial.length === FRAME_HEADER_BYTES) {
      const length = this.#length(partial, 0);
      if (length > 0) {
        if (this.#beginData(partial, 0, length)) return at;
        this.#partial = new Uint8Array(FRAME_HEADER_BYTES + length);
        this.#partial.set(partial);
        return at;
      }
    }
    this.#partial = null;
    this.#filled = 0;
    sink.frame(partial[3]!, partial[4]!, streamId(partial, 0), partial, FRAME_HEADER_BYTES, partial.length);
    return at;
  }

  /** Remembers the header of a DATA frame that is to come out in parts; false when it may not. */
  #beginData(header: Uint8Array, at: number, length: number): boolean {
    if (header[at + 3] !== FrameType.DATA || (header[at + 4]! & Flag.PADDED) !== 0) return false;
    this.#partial = null;
    this.#filled = 0;
    this.#dataLeft = length;
    this.#dataFlags = header[at + 4]!;
    this.#dataStream = streamId(header, at);
    return true;
  }

  #continueData(chunk: Uint8Array, at: number, sink: FrameSink): number {
    const end = Math.min(chunk.length, at + this.#dataLeft);
    this.#dataLeft -= end - at;
    const flags = this.#dataLeft === 0 ? this.#dataFlags : this.#dataFlags & ~Flag.END_STREAM;
    sink.frame(FrameType.DATA, flags, this.#dataStream, chunk, at, end);
    return end;
  }

  #length(source: Uint8Array, at: number): number {
    const length = (source[at]! << 16) | (source[at + 1]! << 8) | source[at + 2]!;
    if (length > this.#maxFrameBytes) {
      throw new ConnectionError(
        ErrorCode.FRAME_SIZE_ERROR,
        `Frame of ${length} octets is above the ${this.#maxFrameBytes} allowed`,
      );
    }
    return length;
  }
}

function streamId(source: Uint8Array, at: number): number {
  return ((source[at + 5]! & 0x7f) << 24) | (source[at + 6]! << 16) | (source[at + 7]! << 8) | source[at + 8]!;
}
