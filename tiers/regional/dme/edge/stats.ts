import type { InstanceKeyShape } from "../matching/mod.ts";

/** Who something is counted for: the instance that the device was given, and what the device says of itself. */
export interface EdgeDevice {
  readonly instance: InstanceKeyShape;
  /** Carrier as the device names it, an organization or an operator code; "" when it does not say. */
  readonly carrier: string;
  readonly deviceOs: string;
  readonly deviceModel: string;
  readonly dataNetworkType: string;
  /** As the device sent it; some send 2^64-1 for "unknown", read as a number. */
  readonly signalStrength: number;
  /** Tile of the place where the device is (see `locationTile`), or "" without a valid place. */
  readonly locationTile: string;
}

/**
 * Takes what devices tell on their event streams (DME specification 6.4). Called on the way of every event: it must be
 * quick, must not throw, and must keep no reference to the arguments' arrays.
 */
export interface EdgeStats {
  /** A session began, or goes on in another tile or with other device information (`device-metric`). */
  session(device: EdgeDevice): void;
  /** Latencies in milliseconds, negative ones (failed measurements) among them (`latency-metric`). */
  latency(device: EdgeDevice, samplesMs: readonly number[]): void;
  /** One custom event of this name with its values, which may be none (`custom-metric`). */
  custom(instance: InstanceKeyShape, name: string, samples: readonly number[]): void;
}

/** Counts nothing. */
export const noEdgeStats: EdgeStats = { session() {}, latency() {}, custom() {} };
