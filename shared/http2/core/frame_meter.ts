import { ErrorCode } from "./constants.ts";
import { ConnectionError } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";
import { TokenBucket } from "./token_bucket.ts";

/** Frames without progress that a frame of content pays for: window updates and pings of a peer that measures its link. */
const FRAMES_PER_CONTENT = 4;

/** Counts what a peer makes us do for nothing, and ends its connection when that is too much (RFC 9113, section 10.5). */
export class FrameMeter {
  readonly #resets: TokenBucket;
  readonly #controlFrames: TokenBucket;
  readonly #windowBytes: number;
  /** Octets of content that came for streams that we have reset and are not counted yet. */
  #lateOctets = 0;

  /** @param now Milliseconds of the clock that the counting methods are given. */
  constructor(limits: Http2Limits, now: number) {
    this.#resets = new TokenBucket(limits.resetBurst, limits.resetsPerSecond, now);
    this.#controlFrames = new TokenBucket(limits.controlFrameBurst, limits.controlFramesPerSecond, now);
    this.#windowBytes = limits.streamWindowBytes;
  }

  /** Content went out or came in: the peer may follow it with window updates and pings. */
  content(): void {
    this.#controlFrames.give(FRAMES_PER_CONTENT);
  }

  /**
   * Counts a frame without progress.
   * @throws {ConnectionError} ENHANCE_YOUR_CALM, when there were too many.
   */
  controlFrame(now: number): void {
    if (!this.#controlFrames.take(now)) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Too many frames without progress");
    }
  }

  /**
   * Counts a frame for a stream that we have reset. The peer may not have seen our RST_STREAM yet. Until then it may send
   * what the stream's window lets it, in as many frames as it has small messages, so content counts by windows and not by
   * frames.
   * @param octets Content in the frame.
   * @throws {ConnectionError} As {@linkcode FrameMeter.controlFrame}.
   */
  lateFrame(octets: number, now: number): void {
    if (octets > 0) {
      this.#lateOctets += octets;
      if (this.#lateOctets < this.#windowBytes) return;
      this.#lateOctets = 0;
    }
    this.controlFrame(now);
  }

  /**
   * Counts a stream that was reset, by the peer or for what it did wrong.
   * @throws {ConnectionError} ENHANCE_YOUR_CALM, when there were too many.
   */
  reset(now: number): void {
    if (!this.#resets.take(now)) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Too many streams were reset");
    }
  }
}
