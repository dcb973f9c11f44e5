import { ErrorCode, FRAME_HEADER_BYTES } from "./constants.ts";
import { ConnectionError } from "./errors.ts";

/** Receives whole frames; `source[start, end)` is the payload, valid during the call only. */
export interface FrameSink {
  frame(type: number, flags: number, streamId: number, source: Uint8Array, start: number, end: number): void;
}

/** Cuts a byte stream into frames; holds one incomplete frame at most. */
export class FrameReader {
  readonly #maxFrameBytes: number;
  #partial: Uint8Array | null = null;
  #filled = 0;
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
  }

  /**
   * Reads on in `chunk[at...)`.
   *
   * @throws {ConnectionError} when a frame announces more than the allowed length, before anything of it is kept.
   */
  push(chunk: Uint8Array, at: number, sink: FrameSink): void {
    while (this.#partial !== null && at < chunk.length) at = this.#complete(chunk, at, sink);
    while (!this.#stopped && chunk.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + this.#length(chunk, at);
      if (end > chunk.length) break;
      deliver(chunk, at, end, sink);
      at = end;
    }
    if (this.#stopped || at >= chunk.length) return;
    const rest = chunk.length - at;
    const room = rest < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : FRAME_HEADER_BYTES + this.#length(chunk, at);
    this.#partial = new Uint8Array(room);
    this.#partial.set(chunk.subarray(at));
    this.#filled = rest;
  }

  /** Adds to the frame held, delivers it when it is whole, and returns where to read on. */
  #complete(chunk: Uint8Array, at: number, sink: FrameSink): number {
    let partial = this.#partial!;
    if (this.#filled < FRAME_HEADER_BYTES) {
      const take = Math.min(FRAME_HEADER_BYTES - this.#filled, chunk.length - at);
      partial.set(chunk.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled < FRAME_HEADER_BYTES) return at;
      const whole = FRAME_HEADER_BYTES + this.#length(partial, 0);
      if (whole > partial.length) {
        const grown = new Uint8Array(whole);
        grown.set(partial);
        this.#partial = partial = grown;
      }
    }
    const take = Math.min(partial.length - this.#filled, chunk.length - at);
    partial.set(chunk.subarray(at, at + take), this.#filled);
    this.#filled += take;
    at += take;
    if (this.#filled === partial.length) {
      this.#partial = null;
      this.#filled = 0;
      deliver(partial, 0, partial.length, sink);
      if (this.#stopped) return chunk.length;
    }
    return at;
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

function deliver(source: Uint8Array, at: number, end: number, sink: FrameSink): void {
  const streamId = ((source[at + 5]! & 0x7f) << 24) | (source[at + 6]! << 16) | (source[at + 7]! << 8) |
    source[at + 8]!;
  sink.frame(source[at + 3]!, source[at + 4]!, streamId, source, at + FRAME_HEADER_BYTES, end);
}
