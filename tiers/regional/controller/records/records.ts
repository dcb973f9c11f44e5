import type { MetricsStore } from "../../../../shared/metrics/mod.ts";
import type { NotifyHub } from "../../../../shared/notify/mod.ts";
import { checkpointJob } from "./checkpoint_job.ts";
import type { CheckpointInterval } from "./checkpoints.ts";
import { followRetention } from "./databases.ts";
import { downsampleJob } from "./downsample_job.ts";
import { takeMetrics } from "./metric_intake.ts";
import { recordResources } from "./resource_usage.ts";
import { type JobDeps, runShared } from "./shared_job.ts";
import { recordUsage } from "./usage_events.ts";

/** Keeps the region's metrics: what children tell, what happens to objects, and the sums of both. Returns what ends that. */
export function keepRecords(
  deps: JobDeps,
  hub: NotifyHub,
  store: MetricsStore,
  checkpointInterval: CheckpointInterval,
): () => Promise<void> {
  const { region: { cache }, clock, log } = deps;
  takeMetrics(hub, store, log);
  const stopUsage = recordUsage(store, cache, () => clock.now());
  const stopResources = recordResources(store, cache);
  const ends = [
    followRetention(store, cache, log, (ms, signal) => clock.sleep(ms, signal)),
    runShared(deps, checkpointJob(store, cache, checkpointInterval)),
    runShared(deps, downsampleJob(store, cache)),
  ];
  return async () => {
    stopUsage();
    stopResources();
    await Promise.all(ends.map((end) => end()));
  };
}
