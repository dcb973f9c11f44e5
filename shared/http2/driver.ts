import { setImmediate } from "node:timers";
import type { Clock } from "./clock.ts";
import type { Connection } from "./core/connection.ts";
import type { StreamCore } from "./core/stream_core.ts";
import type { Transport, TransportSink } from "./transport/types.ts";

/** Octets, and milliseconds, for which a closing connection still listens, so that its last words are not lost to a TCP reset. */
const LINGER_BYTES = 1_048_576;
const LINGER_MS = 1_000;

/** Moves octets between a connection and its transport. What is written within one tick leaves in one write. */
export class Driver<S extends StreamCore> implements TransportSink {
  readonly #transport: Transport;
  readonly #connection: Connection<S>;
  readonly #clock: Clock;
  readonly #onGone: () => void;
  readonly #flush = () => this.#write();
  #scheduled = false;
  #writing = false;
  #finished = false;
  #gone = false;
  #lingerSince = -1;
  #lingered = 0;

  /** @param onGone Called once, when the transport is closed. */
  constructor(transport: Transport, connection: Connection<S>, clock: Clock, onGone: () => void) {
    this.#transport = transport;
    this.#connection = connection;
    this.#clock = clock;
    this.#onGone = onGone;
  }

  /** Starts to move octets. */
  start(): void {
    this.#transport.start(this);
    this.schedule();
  }

  /** Frames wait: writes them when the work of this tick is done. */
  schedule(): void {
    if (this.#scheduled || this.#writing || this.#gone) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  /** The connection is over: closes the transport behind what still waits. */
  finish(): void {
    this.#finished = true;
    this.schedule();
  }

  /** Lets time pass. A fault in what hangs on this connection ends it, and nothing else. */
  tick(now: number): void {
    try {
      this.#connection.tick(now);
    } catch (error) {
      return this.end(error instanceof Error ? error : new Error(String(error)));
    }
    if (!this.#finished) return;
    // The last words get no more time than the linger, be the transport stuck or the peer talkative.
    if (this.#lingerSince < 0) this.#lingerSince = now;
    else if (now - this.#lingerSince >= LINGER_MS) this.close();
  }

  /** Closes the transport at once. */
  close(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#transport.close();
    this.#connection.drop(this.#clock.now());
    this.#onGone();
  }

  /** Octets from the transport. */
  data(bytes: Uint8Array): void {
    if (this.#gone) return;
    if (!this.#finished) return this.#connection.receive(bytes, this.#clock.now());
    this.#lingered += bytes.length;
    if (this.#lingered > LINGER_BYTES) this.close();
  }

  /** The transport's end. */
  end(error: Error | null): void {
    if (this.#gone) return;
    this.#connection.lost(error, this.#clock.now());
    this.close();
  }

  #write(): void {
    this.#scheduled = false;
    if (this.#writing || this.#gone) return;
    const output = this.#connection.takeOutput();
    if (output === null) {
      if (this.#finished) this.#lastWordsWritten();
      return;
    }
    this.#writing = true;
    this.#transport.write(output).then(() => {
      this.#connection.written(output, this.#clock.now());
      this.#writing = false;
      // What came up during the write is at least a tick old.
      this.#write();
    }).catch((error) => {
      this.#writing = false;
      this.end(error instanceof Error ? error : new Error(String(error)));
    });
  }

  #lastWordsWritten(): void {
    if (this.#lingerSince < 0) this.#lingerSince = this.#clock.now();
    this.#transport.closeWrite();
  }
}
