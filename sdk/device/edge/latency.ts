import { endpointOf } from "../connect.ts";
import { isSameInstance } from "../instance.ts";
import type { FoundInstance, SearchOptions } from "../matching.ts";
import { SAMPLE_TIMEOUT_MS } from "../matching.ts";
import type { Place } from "../place.ts";
import { type LatencyStatistics, type Probe, statisticsOf } from "../probe.ts";
import type { EdgeOptions } from "./options.ts";

/** What a device measured on the way to its instance. */
export interface Measurement {
  /** Milliseconds; failed samples as −1. */
  readonly values: readonly number[];
  readonly statistics: LatencyStatistics;
}

/** Measures the way to an instance; undefined when it has no port to measure. */
export async function measureInstance(
  probe: Probe,
  instance: FoundInstance,
  port: EdgeOptions["port"],
  samples: number,
  signal: AbortSignal,
): Promise<Measurement | undefined> {
  const endpoint = endpointOf(instance, port);
  if (endpoint === undefined) return undefined;
  const values = await probe(endpoint, { samples, timeoutMs: SAMPLE_TIMEOUT_MS, signal });
  return { values, statistics: statisticsOf(values) };
}

/** What looking for a quicker instance is made of. */
export interface Seeking {
  readonly find: (place: Place, options: SearchOptions) => Promise<FoundInstance | undefined>;
  readonly current: FoundInstance;
  readonly place: Place;
  /** What was measured to the current one. */
  readonly statistics: LatencyStatistics;
  readonly options: Pick<EdgeOptions, "search" | "port"> & { readonly switchMargin: number };
  readonly signal: AbortSignal;
}

/**
 * Looks for an instance that is quicker by the margin. One that was never reached is as slow as can be.
 *
 * @returns Where to go, or why to stay.
 * @throws {MatchError}
 */
export async function seekQuicker(
  { find, current, place, statistics, options, signal }: Seeking,
): Promise<{ readonly to: FoundInstance } | { readonly stay: string; readonly same?: FoundInstance }> {
  const { search: mode, port, switchMargin } = options;
  const found = await find(place, { mode, port, signal });
  if (found === undefined) return { stay: "no instance was found" };
  if (isSameInstance(found, current)) return { stay: "no other instance is quicker", same: found };
  const { latency } = found;
  const limit = statistics.samples === 0 ? Infinity : statistics.average * (1 - switchMargin);
  // Without a measurement, by proximity, the region's choice is final.
  if (latency === undefined || (latency.samples > 0 && latency.average < limit)) return { to: found };
  return { stay: `no other instance is quicker by ${100 * switchMargin} %` };
}
