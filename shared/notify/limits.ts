/** Bounds of one end of the stream; every queue has one. */
export interface NotifyLimits {
  /** A frame is closed when it has reached this size, bytes. One larger object still travels, alone. */
  frameBytes: number;
  /** Largest object or message, bytes; below the 4 MiB that a gRPC message may have. */
  objectBytes: number;
  /** Longest key, bytes. */
  keyBytes: number;
  /** Messages waiting on one stream; further ones are dropped and counted. */
  queuedMessages: number;
  /** Bytes of messages waiting on one stream. */
  queuedMessageBytes: number;
  /** Deletions remembered per kind; a child that was away for more gets a snapshot. */
  tombstones: number;
  /** Objects that one child may own, over all kinds. */
  ownedObjects: number;
  /** Time for a new stream to say hello, ms. */
  helloMs: number;
}

/** Bounds that hold unless told otherwise. */
export const defaultNotifyLimits: NotifyLimits = {
  // Batches of 64 KiB to 1 MiB were measured alike; the smaller, the less a slow stream holds.
  frameBytes: 256 * 1024,
  objectBytes: 2 * 1024 * 1024,
  keyBytes: 4 * 1024,
  queuedMessages: 10_000,
  queuedMessageBytes: 8 * 1024 * 1024,
  tombstones: 65_536,
  ownedObjects: 100_000,
  helloMs: 10_000,
};

/** Time that what a lost child owned is kept for its return, ms (spec services 1.15). */
export const DEFAULT_GRACE_MS = 10_000;
/** Type of the message by which a child says that nobody there takes a message, whose correlation id it repeats. */
export const UNHANDLED = "notify.unhandled";
/** Protocol version that this code speaks. */
export const PROTOCOL_VERSION = 1;
/** Oldest protocol version that it still understands. */
export const MIN_PROTOCOL_VERSION = 1;
