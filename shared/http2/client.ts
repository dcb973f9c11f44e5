import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { Connection } from "./core/connection.ts";
import { StreamClosedError } from "./core/errors.ts";
import { ErrorCode } from "./core/constants.ts";
import { DEFAULT_LIMITS, type Http2Limits } from "./core/limits.ts";
import { Driver } from "./driver.ts";
import type { HeaderList, PreparedHeaders } from "./hpack/mod.ts";
import { ConnectionStream } from "./stream.ts";
import type { Http2Stream } from "./stream_face.ts";
import type { PeerInfo, Transport } from "./transport/types.ts";

/** How often the connection looks at its clock, in milliseconds. */
const TICK_MS = 500;

/** What a client allows its server, and what it wants to hear. */
export interface ClientOptions {
  /** @default DEFAULT_LIMITS without an idle time */
  readonly limits?: Partial<Http2Limits>;
  /** The connection takes no new streams: the server goes away, or we do. Those that are open go on. */
  readonly onDraining?: () => void;
  /** The connection is gone; null when that was in order. */
  readonly onClose?: (error: Error | null) => void;
  /** Hears what listeners given to a stream threw; the stream is reset. */
  readonly onError?: (error: unknown) => void;
  /** @default SYSTEM_CLOCK */
  readonly clock?: Clock;
}

/** A client's connection. */
export interface Http2Client {
  /** Who is at the other end. */
  readonly peer: PeerInfo;
  /** Whether it takes new streams. */
  readonly state: "open" | "draining" | "closed";
  /** Streams open or waiting for the server to allow more. */
  readonly streams: number;
  /** Resolves when the server's first SETTINGS have come; rejects when the connection is lost before. */
  readonly ready: Promise<void>;
  /**
   * Opens a stream with a request's header list, pseudo-header fields first. Past the server's limit it waits for its turn.
   *
   * @param end There is no body.
   * @throws {StreamClosedError} with `unprocessed` when the connection takes none.
   * @throws {TypeError} when a name or value may not be sent.
   */
  open(headers: HeaderList | PreparedHeaders, end?: boolean): Http2Stream;
  /** Pings the server: the round trip in milliseconds; rejects when the connection is over first. */
  ping(): Promise<number>;
  /** Takes no new streams, lets those that are open finish and resolves when the connection is gone. */
  shutdown(): Promise<void>;
  /** Closes at once; open streams are lost. */
  close(): void;
}

/** Speaks HTTP/2 as a client over a transport that is connected. */
export function connect(transport: Transport, options: ClientOptions = {}): Http2Client {
  const limits: Http2Limits = { ...DEFAULT_LIMITS, idleTimeoutMs: 0, ...options.limits };
  const clock = options.clock ?? SYSTEM_CLOCK;
  const gone = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {}); // Whoever does not ask for it need not handle it.
  const pings = new Set<(error: Error) => void>();

  let driver: Driver<ConnectionStream> | null = null; // The connection has something to say before there is one.
  const connection: Connection<ConnectionStream> = new Connection<ConnectionStream>({
    role: "client",
    limits,
    now: clock.now(),
    events: {
      createStream: () => new ConnectionStream(connection, transport.peer, failed),
      onStream: () => {},
      onOutput: () => driver?.schedule(),
      onEstablished: () => ready.resolve(),
      onDraining: () => tell(() => options.onDraining?.()),
      onClosed(error) {
        const lost = new StreamClosedError(ErrorCode.NO_ERROR, "connection", "Connection is over", { cause: error });
        ready.reject(error ?? lost);
        for (const reject of pings) reject(lost);
        driver?.finish();
        tell(() => options.onClose?.(error));
      },
    },
  });
  const moving = driver = new Driver(transport, connection, clock, () => {
    stopTicking();
    gone.resolve();
  });
  const stopTicking = clock.every(TICK_MS, () => moving.tick(clock.now()));
  moving.start();

  /** Calls a listener; one that fails must not take the connection with it. */
  function tell(listener: () => void): void {
    try {
      listener();
    } catch {
      // There is nobody to tell.
    }
  }

  function failed(stream: ConnectionStream, error: unknown): void {
    if (error !== stream.closeError) tell(() => options.onError?.(error));
    stream.reset(ErrorCode.INTERNAL_ERROR, "Listener failed");
  }

  return {
    peer: transport.peer,
    ready: ready.promise,
    get state() {
      return connection.closed ? "closed" : connection.draining ? "draining" : "open";
    },
    get streams() {
      return connection.occupied + connection.pendingStreams;
    },
    open(headers, end = false) {
      const stream = new ConnectionStream(connection, transport.peer, failed);
      connection.open(stream, headers, end);
      return stream;
    },
    ping() {
      return new Promise((resolve, reject) => {
        if (connection.closed) {
          return reject(new StreamClosedError(ErrorCode.NO_ERROR, "connection", "Connection is over"));
        }
        const sentAt = clock.now();
        pings.add(reject);
        connection.sendPing((now) => {
          pings.delete(reject);
          resolve(now - sentAt);
        });
      });
    },
    shutdown() {
      connection.shutdown();
      return gone.promise;
    },
    close: () => moving.close(),
  };
}
