import type { ServerLimits } from "./transport.ts";

/** Largest message accepted unless told otherwise, bytes: gRPC's own default, and four of notify's largest frames. */
export const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** A connection is probed after this idle time, ms (spec services 1.3). */
export const DEFAULT_KEEPALIVE_MS = 30_000;
/** A probe unanswered for so long ends the connection, ms. */
export const DEFAULT_KEEPALIVE_TIMEOUT_MS = 10_000;
/** Time for one try to connect with its handshake, ms. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
/** First delay between tries to connect, ms. */
export const DEFAULT_BACKOFF_INITIAL_MS = 250;
/** Longest delay between tries to connect, ms. */
export const DEFAULT_BACKOFF_MAX_MS = 30_000;

/** Bounds of a server that is not told otherwise. */
export const defaultServerLimits: ServerLimits = {
  maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES,
  maxConcurrentStreams: 1_000,
  maxConnections: 20_000,
  keepaliveMs: DEFAULT_KEEPALIVE_MS,
  keepaliveTimeoutMs: DEFAULT_KEEPALIVE_TIMEOUT_MS,
  handshakeTimeoutMs: DEFAULT_CONNECT_TIMEOUT_MS,
};
