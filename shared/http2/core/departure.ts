import type { Role } from "./connection_types.ts";
import { ErrorCode, FrameType, MAX_STREAM_ID } from "./constants.ts";
import { put32 } from "./octets.ts";
import type { Output } from "./output.ts";

/** What the departure needs of its connection. */
export interface DepartureHost {
  readonly role: Role;
  readonly closed: boolean;
  readonly established: boolean;
  readonly outbound: { readonly output: Output };
  readonly table: { readonly lastPeer: number };
  /** Streams of any kind that the end has to wait for. */
  readonly unfinished: number;
  sendPing(done: (now: number) => void): void;
  /** Tells those above that no new streams may be opened. */
  announceDraining(): void;
  /** Ends the connection in order. */
  finish(): void;
  wake(): void;
}

/** GOAWAY in both directions, and the end behind the last stream (RFC 9113, section 6.8). */
export class Departure {
  readonly #host: DepartureHost;
  /** No new streams: we have sent, or the peer has sent, GOAWAY. */
  draining = false;
  /** Streams above are not taken any more. */
  lastAccepted = MAX_STREAM_ID;
  #sent = false;

  constructor(host: DepartureHost) {
    this.#host = host;
  }

  /**
   * First GOAWAY that names no stream and a ping, and once that is answered (or late) a second with the last stream taken, so
   * that no request on its way is lost. The connection ends with its last stream.
   *
   * @returns Whether this call began it.
   */
  begin(): boolean {
    const host = this.#host;
    if (this.#sent) return false;
    this.drain();
    if (host.role === "client" || !host.established) {
      this.send(host.table.lastPeer, ErrorCode.NO_ERROR, "");
      this.endIfDrained();
      return true;
    }
    this.send(MAX_STREAM_ID, ErrorCode.NO_ERROR, "");
    host.sendPing(() => this.conclude());
    return true;
  }

  /** The second step of {@linkcode Departure.begin}; nothing when it is not due. */
  conclude(): void {
    const host = this.#host;
    if (host.closed || host.role === "client" || !this.#sent || this.lastAccepted !== MAX_STREAM_ID) return;
    this.lastAccepted = host.table.lastPeer;
    this.send(this.lastAccepted, ErrorCode.NO_ERROR, "");
    this.endIfDrained();
  }

  /** No new streams from now on. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.#host.announceDraining();
  }

  /** Ends the connection when nothing is left to wait for. */
  endIfDrained(): void {
    const host = this.#host;
    if (!this.draining || host.closed || host.unfinished > 0) return;
    // A server that shuts down waits for its second GOAWAY.
    if (host.role === "server" && this.#sent && host.established && this.lastAccepted === MAX_STREAM_ID) return;
    host.finish();
  }

  /** Writes GOAWAY. */
  send(lastStream: number, code: number, message: string): void {
    this.#sent = true;
    const text = new TextEncoder().encode(message);
    const { output } = this.#host.outbound;
    const at = output.frame(FrameType.GOAWAY, 0, 0, 8 + text.length);
    put32(output.buffer, at, lastStream);
    put32(output.buffer, at + 4, code);
    output.buffer.set(text, at + 8);
    this.#host.wake();
  }
}
