import type { MetricsStore } from "../../../../shared/metrics/mod.ts";
import type { RegionCache } from "../state/region_cache.ts";
import { currentSettings } from "../state/settings.ts";
import { type CollectionRule, downsample, spansEnding } from "./downsampling.ts";
import type { SharedJob } from "./shared_job.ts";

/** How late sums are made, so that all processes have told of the span, in milliseconds. */
const LATE_MS = 60_000;

/** Spans without sums that are made up for at most. */
const MAX_SPANS = 30;

const HOUR_MS = 3_600_000;
const NS_PER_MS = 1e6;

/** The job that sums up what devices told, over the spans of the region's settings (crosscutting specification 7.3). */
export function downsampleJob(store: MetricsStore, cache: RegionCache): SharedJob {
  return {
    name: "downsampling",
    lateMs: LATE_MS,
    lastDue: (nowMs) => Math.floor(nowMs / HOUR_MS) * HOUR_MS,
    async run(doneMs, dueMs) {
      const rules: readonly CollectionRule[] = currentSettings(cache)
        .edgeEventsMetricsContinuousQueriesCollectionIntervals;
      for (const rule of rules) {
        const spans = spansEnding(rule.interval / NS_PER_MS, (doneMs ?? dueMs - HOUR_MS) + 1, dueMs + 1);
        for (const [fromMs, toMs] of spans.slice(-MAX_SPANS)) await downsample(store, rule, fromMs, toMs);
      }
      await store.flush();
    },
  };
}
