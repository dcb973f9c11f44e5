import type { ByteRange } from "./arena.ts";

/** Messages waiting on one stream, in order and within bounds; what does not fit is dropped and counted. */
export class MessageLane {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #waiting: ByteRange[] = [];
  #bytes = 0;
  #dropped = 0;

  /** @param maxMessages most messages waiting. @param maxBytes most bytes of them. */
  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** Messages waiting. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Bytes waiting. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Queues a message, or says that it does not fit. */
  push(message: ByteRange): boolean {
    if (this.#waiting.length >= this.#maxMessages || this.#bytes + message.length > this.#maxBytes) {
      this.#dropped++;
      return false;
    }
    this.#waiting.push(message);
    this.#bytes += message.length;
    return true;
  }

  /** Moves messages into `take` until it refuses one. */
  drain(take: (message: ByteRange) => boolean): void {
    let taken = 0;
    for (const message of this.#waiting) {
      if (!take(message)) break;
      this.#bytes -= message.length;
      taken++;
    }
    this.#waiting.splice(0, taken);
  }

  /** Drops what waits: the stream is gone. */
  clear(): void {
    this.#dropped += this.#waiting.length;
    this.#waiting.length = 0;
    this.#bytes = 0;
  }
}
