import { ClosedStreams } from "./closed_streams.ts";
import { MAX_STREAM_ID } from "./constants.ts";
import type { StreamCore } from "./stream_core.ts";

/** The streams of a connection: those that live, and enough about those that do not (RFC 9113, section 5.1). */
export class StreamTable<S extends StreamCore> {
  /** Streams that are not over, by identifier. */
  readonly open = new Map<number, S>();
  /** How the latest of the others ended. */
  readonly ended = new ClosedStreams();
  /** Streams open, and streams that are over while their handler is still at work. */
  occupied = 0;
  /** The latest stream that the peer has opened, 0 for none. */
  lastPeer = 0;
  /** The next stream that we open. */
  next = 1;
  readonly #weAreClient: boolean;

  constructor(weAreClient: boolean) {
    this.#weAreClient = weAreClient;
  }

  /** No identifier is left for us. */
  get spent(): boolean {
    return this.next > MAX_STREAM_ID;
  }

  /** Whether the stream has never been opened. */
  isIdle(id: number): boolean {
    const odd = (id & 1) === 1;
    if (odd === this.#weAreClient) return id >= this.next;
    // Servers open no streams here: push is switched off.
    return !odd || id > this.lastPeer;
  }

  /** Adds a stream that has its identifier. */
  add(stream: S): void {
    this.open.set(stream.id, stream);
    this.occupied++;
  }
}
