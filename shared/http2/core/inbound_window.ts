import { DEFAULT_WINDOW_BYTES, ErrorCode, FrameType } from "./constants.ts";
import { ConnectionError } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import type { Output } from "./output.ts";
import type { StreamCore } from "./stream_core.ts";

/** What the windows need of their connection. */
export interface WindowHost {
  readonly limits: Http2Limits;
  readonly budget: MemoryBudget;
  readonly outbound: { readonly output: Output };
  /** Streams that are not over. */
  readonly streams: ReadonlyMap<number, StreamCore>;
  wake(): void;
}

/** Flow control of what we receive: what the peer may still send, and what is held for readers. */
export class InboundWindow {
  readonly #host: WindowHost;
  /** Octets that the peer may still send on the connection. */
  #connectionBytes = DEFAULT_WINDOW_BYTES;
  /** Initial windows of streams announced and not yet acknowledged, oldest first. */
  readonly #announced: number[] = [];
  #acknowledged = DEFAULT_WINDOW_BYTES;
  /** The initial window that the peer may go by: the largest that it may have in mind. */
  #initial = DEFAULT_WINDOW_BYTES;
  #latest = DEFAULT_WINDOW_BYTES;
  /** Octets received and held for readers. */
  heldBytes = 0;

  constructor(host: WindowHost) {
    this.#host = host;
  }

  /** The initial window of a stream that opens now. */
  get initial(): number {
    return this.#initial;
  }

  /** SETTINGS with this initial window (undefined: as before) go out. */
  announce(initial: number | undefined): void {
    if (initial !== undefined) this.#latest = initial;
    this.#announced.push(this.#latest);
    this.#adjust();
  }

  /**
   * The peer has acknowledged the oldest SETTINGS.
   *
   * @returns How many still wait for it, or -1 when none did.
   */
  acknowledge(): number {
    const acknowledged = this.#announced.shift();
    if (acknowledged === undefined) return -1;
    this.#acknowledged = acknowledged;
    this.#adjust();
    return this.#announced.length;
  }

  /** A change of the initial window is a change of every stream's (RFC 9113, section 6.9.2). */
  #adjust(): void {
    const initial = Math.max(this.#acknowledged, ...this.#announced);
    const change = initial - this.#initial;
    if (change === 0) return;
    this.#initial = initial;
    for (const stream of this.#host.streams.values()) stream.receiveWindow += change;
  }

  /**
   * Octets of DATA, padding included, have come.
   *
   * @throws {ConnectionError} when they are more than the connection's window.
   */
  receive(bytes: number): void {
    this.#connectionBytes -= bytes;
    if (this.#connectionBytes < 0) {
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "DATA exceeds the window of the connection");
    }
  }

  /** The reader of a stream has taken octets, or there was nothing in them to read. */
  consumed(stream: StreamCore, bytes: number): void {
    stream.uncredited += bytes;
    if (stream.remoteClosed || stream.closed) return;
    // A quarter of a window at a time: few updates, and the sender is never short.
    if (stream.uncredited * 4 < this.#latest) return;
    this.#host.outbound.output.numbers(FrameType.WINDOW_UPDATE, stream.id, stream.uncredited);
    stream.receiveWindow += stream.uncredited;
    stream.uncredited = 0;
    this.#host.wake();
  }

  /** Octets received are being held for a reader of the stream. */
  hold(bytes: number): void {
    this.heldBytes += bytes;
    this.#host.budget.usedBytes += bytes;
  }

  /** Octets held are held no more. */
  release(bytes: number): void {
    this.heldBytes -= bytes;
    this.#host.budget.usedBytes -= bytes;
  }

  /**
   * Opens the connection's window: as octets come in, not as they are read, so that a slow reader stops its own stream and not
   * the others; past the limits of what may be held, only as far as readers make room.
   */
  credit(): void {
    const { limits, budget } = this.#host;
    if (budget.strained && this.heldBytes > 0) return;
    const full = limits.connectionWindowBytes;
    const target = Math.min(full, limits.maxBufferedBytesPerConnection - this.heldBytes);
    const credit = target - this.#connectionBytes;
    if (credit <= 0 || credit * 2 < full && this.#connectionBytes * 2 > full) return;
    this.#host.outbound.output.numbers(FrameType.WINDOW_UPDATE, 0, credit);
    this.#connectionBytes += credit;
    this.#host.wake();
  }
}
