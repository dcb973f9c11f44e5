import type { WantedPort } from "../connect.ts";
import type { SearchMode } from "../matching.ts";
import type { Place } from "../place.ts";
import { TRIGGERS } from "./events.ts";
import type { StreamForm } from "./link.ts";
import type { DeviceFacts, NetworkFacts } from "./messages.ts";

/** How a device follows its instance. */
export interface EdgeOptions {
  /** Where the device is, asked at every interval. @default the last place that the SDK was told */
  readonly location?: () => Place | Promise<Place>;
  /** How often the latency is measured and reported, ms; 0: only when the region asks. @default 30000 */
  readonly latencyIntervalMs?: number;
  /** How often the place is reported, ms; 0: only by `updateLocation`. @default 30000 */
  readonly locationIntervalMs?: number;
  /** From which latency on the device looks for a quicker instance, ms. @default 50 */
  readonly latencyThresholdMs?: number;
  /** By how much another instance must be quicker, as a part of one. @default 0.05 */
  readonly switchMargin?: number;
  /** How the device looks for a quicker instance. @default "performance" */
  readonly search?: SearchMode;
  /** What makes the device go to another instance. @default all of them */
  readonly triggers?: readonly (typeof TRIGGERS[number])[];
  /** Whether the stream goes to the new instance by itself; otherwise by `follow`. @default true */
  readonly autoMigrate?: boolean;
  /** The port that is measured. @default the first TCP port */
  readonly port?: WantedPort;
  /** Time before a lost stream is opened again, ms, or down to half of it at random; doubled with every failure, up to 30 s. @default 1000 */
  readonly reconnectDelayMs?: number;
  /** How long the confirmation of a stream may take, and its end, ms. @default 10000 */
  readonly timeoutMs?: number;
  /** Forms of the stream, in the order they are tried. @default WebSocket where there are any, then server-sent events */
  readonly forms?: readonly StreamForm[];
  readonly device?: DeviceFacts;
  /** What changes about the device, asked with every event that holds it. */
  readonly network?: () => NetworkFacts;
}

/** Samples of a measurement at an interval, and of one that the region asked for. */
export const INTERVAL_SAMPLES = 3;
export const REQUEST_SAMPLES = 5;

/** Longest time before a lost stream is opened again, ms. */
export const MAX_RECONNECT_DELAY_MS = 30_000;

/** The options with their documented defaults (DME specification 9). */
export function withDefaults(options: EdgeOptions): EdgeOptions & typeof DEFAULTS {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...DEFAULTS, ...given };
}

const DEFAULTS = {
  latencyIntervalMs: 30_000,
  locationIntervalMs: 30_000,
  latencyThresholdMs: 50,
  switchMargin: 0.05,
  search: "performance" as SearchMode,
  triggers: TRIGGERS as readonly (typeof TRIGGERS[number])[],
  autoMigrate: true,
  reconnectDelayMs: 1_000,
  timeoutMs: 10_000,
};
