import type { HeaderList, PreparedHeaders } from "../hpack/mod.ts";
import type { StreamClosedError } from "./errors.ts";
import type { SendQueue } from "./send_queue.ts";

/**
 * What a connection knows of a stream, and what it tells it. The fields are the connection's to write; a face for users
 * extends this class and overrides what it wants to hear.
 */
export class StreamCore {
  /** Its identifier; 0 while a client's stream waits for the server to allow it. */
  id = 0;
  /** Header list received: the request at a server, the response at a client (empty until it has come). */
  headers: HeaderList = [];
  /** Trailers received, or null. */
  trailers: HeaderList | null = null;
  /** The final header list of the peer has come. */
  headersReceived = false;
  /** The peer has ended its side. */
  remoteClosed = false;
  /** A header list of ours has gone out. */
  headersSent = false;
  /** Our side has ended on the wire. */
  localClosed = false;
  /** Our side will end when its queue is empty. */
  ending = false;
  /** The stream is over, one way or the other. */
  closed = false;
  /** Why it was over early, or null. */
  closeError: StreamClosedError | null = null;
  /** Octets that the peer may still send. */
  receiveWindow = 0;
  /** Octets taken by the reader that the peer has not been told of. */
  uncredited = 0;
  /** Octets that `content-length` still promises; -1 when it promised nothing. */
  expectedBytes = -1;
  /** Octets that we may still send. */
  sendWindow = 0;
  /** Octets that wait to be sent, or null. */
  queue: SendQueue | null = null;
  /** Trailers to send behind the queue, or null. */
  queuedTrailers: HeaderList | PreparedHeaders | null = null;
  /** When an octet of the queue last moved, in milliseconds. */
  progressAt = 0;
  /** Its body is being gathered to be handed up whole. */
  gathering = false;
  /** When an octet of its body last came, in milliseconds. */
  receivedAt = 0;
  /** Handlers at work on it; it occupies its place among the concurrent streams until there are none. */
  pins = 0;

  /** The peer's header list has come (at a client: the final one); it stands in `headers`. */
  deliverHeaders(): void {}

  /** Octets have come: `source[start, end)`, valid during the call only. Held octets are to be declared to the connection. */
  deliverData(_source: Uint8Array, _start: number, _end: number): void {}

  /** The peer has ended its side; `trailers` stand if there were any. */
  deliverEnd(): void {}

  /** The stream is over; `closeError` says why if that was early. */
  deliverClosed(): void {}
}
