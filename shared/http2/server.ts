import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { BufferPool } from "./core/buffer_pool.ts";
import { Connection } from "./core/connection.ts";
import { ErrorCode } from "./core/constants.ts";
import { ConnectionError } from "./core/errors.ts";
import { DEFAULT_LIMITS, type Http2Limits, poolBufferBytes } from "./core/limits.ts";
import { MemoryBudget } from "./core/memory_budget.ts";
import { Driver } from "./driver.ts";
import { ConnectionStream } from "./stream.ts";
import type { Http2Stream } from "./stream_face.ts";
import type { Listener, NetAddress, PeerInfo, Transport } from "./transport/types.ts";

/** How often connections look at their clocks, in milliseconds. */
const TICK_MS = 500;
/** Connections opened together end within this part of their maximum age of each other. */
const AGE_JITTER = 0.1;

/** What a server does and allows. */
export interface ServeOptions {
  /**
   * Answers a request. While the promise that it returns is open, the stream counts against `maxConcurrentStreams` even if the
   * client has reset it. When it throws or rejects, the stream is reset with INTERNAL_ERROR.
   */
  readonly handler: (stream: Http2Stream) => void | Promise<void>;
  /** @default DEFAULT_LIMITS */
  readonly limits?: Partial<Http2Limits>;
  /** Hears why connections ended early, and what handlers threw. */
  readonly onError?: (error: unknown, peer: PeerInfo) => void;
  /** @default SYSTEM_CLOCK */
  readonly clock?: Clock;
  /** A number from 0 to 1, for the jitter of `maxAgeMs`. @default Math.random */
  readonly random?: () => number;
}

/** What a server carries at the moment. */
export interface ServerStats {
  /** Connections, those in their handshake included. */
  readonly connections: number;
  /** Streams open. */
  readonly streams: number;
  /** Octets received that no handler has taken. */
  readonly heldBytes: number;
}

/** A server of HTTP/2. */
export interface Http2Server {
  /** Where it listens. */
  readonly address: NetAddress;
  /** What it carries at the moment. */
  stats(): ServerStats;
  /**
   * Stops to accept, lets every connection finish its streams (for `drainTimeoutMs` at most) and resolves when all are gone.
   */
  shutdown(): Promise<void>;
  /** Stops at once; open streams are lost. */
  close(): void;
}

interface Live {
  readonly connection: Connection<ConnectionStream>;
  readonly driver: Driver<ConnectionStream>;
}

/** Serves HTTP/2 on whatever the listener accepts. */
export function serve(listener: Listener, options: ServeOptions): Http2Server {
  const limits: Http2Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const clock = options.clock ?? SYSTEM_CLOCK;
  const random = options.random ?? Math.random;
  const budget = new MemoryBudget(limits.maxBufferedBytes);
  const pool = new BufferPool(poolBufferBytes(limits));
  const live = new Set<Live>();
  const gone: (() => void)[] = [];
  let stopTicking: (() => void) | null = null;
  let draining = false;

  function accept(transport: Transport): void {
    if (draining || live.size >= limits.maxConnections) return transport.close();
    const entry = openConnection(transport);
    live.add(entry);
    stopTicking ??= clock.every(TICK_MS, tick);
    entry.driver.start();
  }

  function openConnection(transport: Transport): Live {
    const connection: Connection<ConnectionStream> = new Connection<ConnectionStream>({
      role: "server",
      limits,
      budget,
      pool,
      now: clock.now(),
      ageJitterMs: random() * AGE_JITTER * limits.maxAgeMs,
      events: {
        createStream: () => new ConnectionStream(connection, transport.peer, failed),
        onStream: (stream) => run(connection, stream),
        onOutput: () => driver.schedule(),
        onClosed: (error) => {
          if (error !== null) report(error, transport.peer);
          driver.finish();
        },
      },
    });
    const driver = new Driver(transport, connection, clock, () => remove(entry));
    const entry = { connection, driver };
    return entry;
  }

  function run(connection: Connection<ConnectionStream>, stream: ConnectionStream): void {
    try {
      const running = options.handler(stream);
      if (running === undefined) return;
      connection.pin(stream);
      running.catch((error) => failed(stream, error)).then(() => connection.unpin(stream));
    } catch (error) {
      failed(stream, error);
    }
  }

  function failed(stream: ConnectionStream, error: unknown): void {
    // Whoever awaits a stream that was cut off is told so by an error that is no news.
    if (error !== stream.closeError) report(error, stream.peer);
    stream.reset(ErrorCode.INTERNAL_ERROR, "Handler failed");
  }

  function report(error: unknown, peer: PeerInfo): void {
    try {
      options.onError?.(error, peer);
    } catch {
      // Whoever listens to errors and fails has nobody to tell; the connections are not to suffer for it.
    }
  }

  function tick(): void {
    const now = clock.now();
    for (const { driver } of live) driver.tick(now);
    while (budget.strained && cutOffLargest());
  }

  /** Ends the connection that holds most, so that those who fill the memory do not keep the others out. */
  function cutOffLargest(): boolean {
    let largest: Connection<ConnectionStream> | null = null;
    for (const { connection } of live) {
      if (!connection.closed && connection.window.heldBytes > (largest?.window.heldBytes ?? 0)) largest = connection;
    }
    largest?.fail(new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "Connection holds too much of the server's memory"));
    return largest !== null;
  }

  function remove(entry: Live): void {
    live.delete(entry);
    if (live.size > 0) return;
    stopTicking?.();
    stopTicking = null;
    for (const resolve of gone.splice(0)) resolve();
  }

  listener.start(accept);
  return {
    address: listener.address,
    stats() {
      let streams = 0;
      for (const { connection } of live) streams += connection.streams.size;
      return { connections: live.size, streams, heldBytes: budget.usedBytes };
    },
    shutdown() {
      draining = true;
      listener.close();
      for (const { connection } of live) connection.shutdown();
      return live.size === 0 ? Promise.resolve() : new Promise((resolve) => gone.push(resolve));
    },
    close() {
      draining = true;
      listener.close();
      for (const { driver } of live) driver.close();
    },
  };
}
