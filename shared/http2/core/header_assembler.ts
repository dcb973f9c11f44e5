import { ErrorCode } from "./constants.ts";
import { ConnectionError } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";

const EMPTY = new Uint8Array(0);

/** Collects a header block that comes in more than one frame. */
export class HeaderAssembler {
  readonly #limits: Http2Limits;
  #bytes = EMPTY;
  #length = 0;
  #frames = 0;
  /** The stream whose block is incomplete, or 0. */
  streamId = 0;
  /** The HEADERS frame had END_STREAM. */
  endStream = false;
  /** The HEADERS frame made its stream depend on itself. */
  selfDependent = false;
  /** When the HEADERS frame came, in milliseconds. */
  startedAt = 0;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
  }

  /** Starts with the fragment of a HEADERS frame without END_HEADERS. */
  start(streamId: number, endStream: boolean, now: number): void {
    this.streamId = streamId;
    this.endStream = endStream;
    this.startedAt = now;
    this.#length = 0;
    this.#frames = 0;
  }

  /**
   * Adds a fragment.
   *
   * @throws {ConnectionError} when the block takes more octets or frames than allowed.
   */
  add(source: Uint8Array, start: number, end: number): void {
    const needed = this.#length + end - start;
    if (this.#frames++ > this.#limits.maxContinuationFrames) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Header block has too many CONTINUATION frames");
    }
    // A block that is well compressed is smaller than its list, a badly compressed one hardly larger.
    const limit = this.#limits.maxHeaderListBytes * 2;
    if (needed > limit) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, `Header block is longer than ${limit} octets`);
    }
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(limit, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(source.subarray(start, end), this.#length);
    this.#length = needed;
  }

  /** Hands over the whole block and forgets it. */
  finish(): Uint8Array {
    const block = this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.streamId = 0;
    return block;
  }
}
