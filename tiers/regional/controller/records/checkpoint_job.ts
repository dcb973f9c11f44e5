import type { MetricsStore, Point } from "../../../../shared/metrics/mod.ts";
import { AppInstKind, ClusterInstKind, type Timestamp } from "../../../../shared/schema/mod.ts";
import { milliseconds } from "../api/device_api.ts";
import type { RegionCache } from "../state/region_cache.ts";
import { type Checkpoint, checkpoint, type CheckpointInterval, lastBoundary, type UsageRecord } from "./checkpoints.ts";
import { MetricsDatabase } from "./databases.ts";
import type { SharedJob } from "./shared_job.ts";
import { appInstFacts, clusterInstFacts, type Facts } from "./usage_events.ts";

/** How late checkpoints are made, so that the events before them are written, in milliseconds. */
const LATE_MS = 2000;

/** The job that sums up the time of all living clusters and instances at each boundary (specification 8.3). */
export function checkpointJob(store: MetricsStore, cache: RegionCache, interval: CheckpointInterval): SharedJob {
  return {
    name: "checkpoints",
    lateMs: LATE_MS,
    lastDue: (nowMs) => lastBoundary(interval, nowMs),
    async run(_, dueMs) {
      for (const facts of [...living(cache, dueMs)]) {
        const point = await checkpointOf(store, facts, dueMs);
        if (point !== undefined) store.write(MetricsDatabase.events, [point]);
      }
      await store.flush();
    },
  };
}

/** What was there before the boundary. */
function* living(cache: RegionCache, dueMs: number): Generator<Facts> {
  const before = ({ createdAt }: { createdAt?: Timestamp }) => milliseconds(createdAt) < dueMs;
  for (const cluster of cache.table(ClusterInstKind).values()) {
    if (before(cluster)) yield clusterInstFacts(cluster, cache);
  }
  for (const instance of cache.table(AppInstKind).values()) {
    if (before(instance)) yield appInstFacts(instance, cache);
  }
}

async function checkpointOf(store: MetricsStore, facts: Facts, dueMs: number): Promise<Point | undefined> {
  const { measurement, fields } = facts;
  const org = facts.tags["org"] ?? facts.tags["apporg"] ?? "";
  const tags = { ...facts.tags, org };
  const name = `${measurement}-checkpoints`;
  const previous = await lastCheckpoint(store, name, tags, dueMs);
  const records = await recordsOf(store, facts, (previous?.endMs ?? -1) + 1, dueMs);
  const summed = checkpoint(records, previous, dueMs);
  if (summed === undefined) return undefined;
  return {
    measurement: name,
    tags,
    fields: {
      ...fields,
      start: new Date(summed.startMs).toISOString(),
      end: new Date(summed.endMs).toISOString(),
      uptime: summed.uptimeMs / 1000,
      status: summed.status,
    },
    timeMs: dueMs,
  };
}

async function lastCheckpoint(
  store: MetricsStore,
  measurement: string,
  tags: Facts["tags"],
  dueMs: number,
): Promise<Pick<Checkpoint, "endMs" | "status"> | undefined> {
  const query = { measurement, tags, select: [{ field: "status" }], fromMs: 0, toMs: dueMs, limit: 1 };
  const newest = (await store.query(MetricsDatabase.events, query)).flatMap(({ values }) => values)
    .sort(([a], [b]) => b - a)[0];
  return newest && { endMs: newest[0], status: newest[1] === "UP" ? "UP" : "DOWN" };
}

/** What was recorded of an object; the tags that changes leave as they are name it. */
async function recordsOf(store: MetricsStore, facts: Facts, fromMs: number, toMs: number): Promise<UsageRecord[]> {
  const { measurement, tags } = facts;
  const select = [{ field: "event" }, { field: "status" }];
  const found = await store.query(MetricsDatabase.events, { measurement, tags, select, fromMs, toMs: toMs + 1 });
  return found.flatMap(({ values }) => values).map(([timeMs, event, status]) => ({
    timeMs,
    event: event as UsageRecord["event"],
    status: status === "UP" ? "UP" : "DOWN",
  }));
}
