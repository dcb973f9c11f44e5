import type { MatchError } from "../errors.ts";
import type { FoundInstance } from "../matching.ts";
import type { LatencyStatistics } from "../probe.ts";
import type { CloudletState, HealthCheck, MaintenanceState } from "../texts.ts";
import type { StreamForm } from "./link.ts";

/** Why a device goes to another instance, or would. */
export type Trigger =
  /** The cloudlet is not ready any more. */
  | "cloudlet-state"
  /** The cloudlet is under maintenance. */
  | "maintenance"
  /** The instance is not healthy any more. */
  | "health"
  /** The device measured a latency over the threshold, and another instance is quicker by the margin. */
  | "latency"
  /** A better instance has become available, or the device has come nearer to one. */
  | "closer"
  /** The stream's cookies had run out, and looking for an instance again found another one. */
  | "renewed";

/** All triggers that can be turned off, and are on otherwise. */
export const TRIGGERS = ["cloudlet-state", "maintenance", "health", "latency", "closer"] as const;

/** Statistics that the region made of the device's samples; ms. */
export interface RegionStatistics extends LatencyStatistics {
  readonly variance: number;
  readonly timeMs: number | undefined;
}

/** What happens on an event stream. */
export type EdgeEvent =
  /** The stream is open, at first or again. */
  | { readonly type: "open"; readonly form: StreamForm; readonly instance: FoundInstance }
  /** The stream is lost, or could not be opened; it is opened again after a while. */
  | { readonly type: "lost"; readonly error: MatchError | undefined; readonly retryMs: number }
  /** There will be no stream any more: its cookies ran out and no instance could be looked for. The last event. */
  | { readonly type: "failed"; readonly error: MatchError }
  /** The cloudlet of the instance changed its state. */
  | { readonly type: "cloudletState"; readonly state: CloudletState }
  /** The maintenance of the instance's cloudlet goes on. */
  | { readonly type: "maintenance"; readonly state: MaintenanceState }
  /** The health of the instance changed. */
  | { readonly type: "health"; readonly health: HealthCheck }
  /** The app is to use another instance; with `autoMigrate` the stream follows by itself. */
  | {
    readonly type: "newInstance";
    readonly trigger: Trigger;
    readonly instance: FoundInstance;
    readonly previous: FoundInstance;
  }
  /** There was a reason to go, and nowhere better to go to. */
  | { readonly type: "stay"; readonly trigger: Trigger; readonly reason: string }
  /** The device measured the way to its instance. */
  | { readonly type: "latency"; readonly statistics: LatencyStatistics; readonly values: readonly number[] }
  /** What the region made of it. */
  | { readonly type: "latencyProcessed"; readonly statistics: RegionStatistics }
  /** The region did not take an event of the device. */
  | { readonly type: "refused"; readonly reason: string };

/** Event of a type. */
export type EdgeEventOf<T extends EdgeEvent["type"]> = Extract<EdgeEvent, { type: T }>;
