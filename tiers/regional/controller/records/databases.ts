import type { MetricsStore } from "../../../../shared/metrics/mod.ts";
import type { Settings } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { currentSettings } from "../state/settings.ts";
import type { RegionCache } from "../state/region_cache.ts";

/** Databases of the region's metrics (specification 8.1). */
export const MetricsDatabase = {
  metrics: "metrics",
  events: "events",
  edgeEvents: "edgeevents_metrics",
  downsampled: "downsampled_metrics",
  cloudletUsage: "cloudlet_resource_usage",
} as const;

/** Shortest time that a database can keep points, in milliseconds. */
const MIN_RETENTION_MS = 3_600_000;

const NS_PER_MS = 1e6;

/** Part of the database of sums that is kept for a time of its own, e.g. `downsampled_metrics/168h`. */
export function downsampledDatabase(retentionNs: number): string {
  return `${MetricsDatabase.downsampled}/${hours(retentionNs)}`;
}

/** Whole hours, as names of measurements and policies have them. */
export function hours(ns: number): string {
  return ns === 0 ? "ever" : `${Math.round(ns / NS_PER_MS / 3_600_000 * 1000) / 1000}h`;
}

/** How long each database keeps its points, milliseconds; 0: for ever. */
export function retentions(settings: Settings): Map<string, number> {
  const ms = (ns: number | undefined) => !ns ? 0 : Math.max(MIN_RETENTION_MS, Math.round(ns / NS_PER_MS));
  const found = new Map([
    [MetricsDatabase.metrics as string, ms(settings.influxDbMetricsRetention)],
    [MetricsDatabase.events, 0],
    [MetricsDatabase.edgeEvents, ms(settings.influxDbEdgeEventsMetricsRetention)],
    [MetricsDatabase.downsampled, ms(settings.influxDbDownsampledMetricsRetention)],
    [MetricsDatabase.cloudletUsage, ms(settings.influxDbCloudletUsageMetricsRetention)],
  ]);
  for (const { retention } of settings.edgeEventsMetricsContinuousQueriesCollectionIntervals) {
    found.set(downsampledDatabase(retention), ms(retention));
  }
  return found;
}

/** Keeps the databases' retention in line with the settings. What the database refuses is logged, and tried again. */
export function followRetention(
  store: MetricsStore,
  cache: RegionCache,
  log: Logger,
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
): () => Promise<void> {
  const stop = new AbortController();
  const done = new Map<string, number>();

  async function follow(): Promise<void> {
    while (!stop.signal.aborted) {
      const before = currentSettings(cache);
      const failed = await apply(before);
      if (failed) await sleep(RETRY_MS, stop.signal).catch(() => {});
      else await cache.until(() => currentSettings(cache) !== before ? true : undefined, stop.signal);
    }
  }

  async function apply(settings: Settings): Promise<boolean> {
    let failed = false;
    for (const [database, ms] of retentions(settings)) {
      if (done.get(database) === ms || stop.signal.aborted) continue;
      try {
        await store.setRetention(database, ms);
        done.set(database, ms);
      } catch (error) {
        failed = true;
        if (!stop.signal.aborted) log.warn("Retention of metrics could not be set", { database, error });
      }
    }
    return failed;
  }

  const running = follow();
  return async () => {
    stop.abort();
    await running;
  };
}

const RETRY_MS = 30_000;
