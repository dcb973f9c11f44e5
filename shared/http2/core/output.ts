import type { BufferPool } from "./buffer_pool.ts";
import { Flag, FRAME_HEADER_BYTES, FrameType } from "./constants.ts";
import { put32 } from "./octets.ts";

/** Frames that wait for the transport, one behind the other in one buffer, so that they leave in one write. */
export class Output {
  readonly #pool: BufferPool;
  #buffer: Uint8Array | null = null;
  #length = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Octets that wait. */
  get length(): number {
    return this.#length;
  }

  /** Hands over what waits, or null; give it back to {@linkcode Output.recycle} when it is written. */
  take(): Uint8Array | null {
    if (this.#length === 0) return null;
    const taken = this.#buffer!.subarray(0, this.#length);
    this.#buffer = null;
    this.#length = 0;
    return taken;
  }

  /** Takes back what {@linkcode Output.take} gave. */
  recycle(taken: Uint8Array): void {
    this.#pool.give(new Uint8Array(taken.buffer));
  }

  /** Appends raw octets. */
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#buffer!.set(bytes, at);
  }

  /** Appends a frame header and returns the offset behind it; the payload of `length` octets is to be written there. */
  frame(type: number, flags: number, streamId: number, length: number): number {
    const at = this.#reserve(FRAME_HEADER_BYTES + length);
    const buffer = this.#buffer!;
    buffer[at] = length >>> 16;
    buffer[at + 1] = length >>> 8;
    buffer[at + 2] = length;
    buffer[at + 3] = type;
    buffer[at + 4] = flags;
    buffer[at + 5] = streamId >>> 24;
    buffer[at + 6] = streamId >>> 16;
    buffer[at + 7] = streamId >>> 8;
    buffer[at + 8] = streamId;
    return at + FRAME_HEADER_BYTES;
  }

  /** The buffer that the offsets of {@linkcode Output.frame} point into; any further call may replace it. */
  get buffer(): Uint8Array {
    return this.#buffer!;
  }

  /** Appends a header block as HEADERS and, where `maxFrameBytes` demands it, CONTINUATION frames. */
  headers(streamId: number, block: Uint8Array, endStream: boolean, maxFrameBytes: number): void {
    const end = endStream ? Flag.END_STREAM : 0;
    if (block.length <= maxFrameBytes) {
      const at = this.frame(FrameType.HEADERS, end | Flag.END_HEADERS, streamId, block.length);
      copy(block, this.#buffer!, at);
      return;
    }
    for (let from = 0; from < block.length; from += maxFrameBytes) {
      const part = block.subarray(from, from + maxFrameBytes);
      const last = from + part.length === block.length ? Flag.END_HEADERS : 0;
      const at = from === 0
        ? this.frame(FrameType.HEADERS, end | last, streamId, part.length)
        : this.frame(FrameType.CONTINUATION, last, streamId, part.length);
      this.#buffer!.set(part, at);
    }
  }

  /** Appends a frame whose payload is one or two 32-bit numbers. */
  numbers(type: number, streamId: number, first: number, second?: number): void {
    const at = this.frame(type, 0, streamId, second === undefined ? 4 : 8);
    put32(this.#buffer!, at, first);
    if (second !== undefined) put32(this.#buffer!, at + 4, second);
  }

  /** Makes room for `octets` more, counts them as written and returns where they start. */
  #reserve(octets: number): number {
    const at = this.#length;
    const needed = at + octets;
    if (this.#buffer === null) this.#buffer = this.#pool.take(octets);
    else if (needed > this.#buffer.length) {
      const larger = this.#pool.take(needed);
      larger.set(this.#buffer.subarray(0, at));
      this.#pool.give(this.#buffer);
      this.#buffer = larger;
    }
    this.#length = needed;
    return at;
  }
}

/** Copies a few octets faster than `set`, and many with it. */
function copy(source: Uint8Array, target: Uint8Array, at: number): void {
  if (source.length > 64) target.set(source, at);
  else for (let from = 0; from < source.length; from++) target[at++] = source[from]!;
}
