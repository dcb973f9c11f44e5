import { type ClusterInst, ClusterInstKind, CRMOverride, TrackedState } from "../../../../../shared/schema/mod.ts";
import { RpcError } from "../../../../../shared/rpc/mod.ts";
import type { ApiContext } from "../../context.ts";
import { failedPrecondition } from "../../faults.ts";
import { overrideOf } from "../../rules/crm_override.ts";
import { isDeletePrepared } from "../../state/object_tx.ts";
import { currentSettings } from "../../state/settings.ts";
import { deleteClusterInst } from "./remove.ts";

/** Looks for idle clusters that go into one idle time (specification 4.4). */
const LOOKS_PER_IDLE_TIME = 5;
/** Longest pause between two looks, in milliseconds: timers cannot wait as long as settings can say. */
const MAX_PAUSE_MS = 3_600_000;
const NS_PER_MS = 1e6;

/** Clusters that were deleted, and those that could not be, with the reason. */
export interface IdleOutcome {
  readonly deleted: readonly string[];
  readonly failed: readonly { readonly key: string; readonly reason: string }[];
}

/**
 * Deletes the clusters that were made for instances and have not been lent for longer than `idleMs`, in the order of their
 * keys. Each deletion takes its cluster, so of several controllers one does it.
 */
export async function deleteIdleClusters(context: ApiContext, idleMs: number): Promise<IdleOutcome> {
  const { region, clock } = context;
  const deleted: string[] = [];
  const failed: { key: string; reason: string }[] = [];
  const before = clock.now() - idleMs;
  const idle = [...region.cache.table(ClusterInstKind)].filter(([, cluster]) => isIdle(cluster, before));
  for (const [key] of idle.toSorted(([a], [b]) => a < b ? -1 : 1)) {
    try {
      await deleteIdle(context, key, before);
      deleted.push(key);
    } catch (error) {
      failed.push({ key, reason: RpcError.from(error).message });
    }
  }
  return { deleted, failed };
}

async function deleteIdle(context: ApiContext, key: string, beforeMs: number): Promise<void> {
  const override = overrideOf(CRMOverride.NO_OVERRIDE);
  const progress = context.operations.run(
    ClusterInstKind,
    key,
    "delete",
    (operation) =>
      deleteClusterInst(context, operation, key, {
        override,
        check(_tx, cluster) {
          if (!isIdle(cluster, beforeMs)) throw failedPrecondition(`Cluster ${key} is no longer idle`);
        },
      }),
  );
  for await (const _ of progress.read(new AbortController().signal));
}

function isIdle(cluster: ClusterInst, beforeMs: number): boolean {
  const { auto, reservable, reservedBy, reservationEndedAt, createdAt, state } = cluster;
  if (!auto || !reservable || reservedBy !== "" || state !== TrackedState.READY || isDeletePrepared(cluster)) {
    return false;
  }
  const since = reservationEndedAt ?? createdAt;
  return since === undefined || since.seconds * 1000 + since.nanos / NS_PER_MS <= beforeMs;
}

/** Deletes idle clusters again and again, by the settings as they are. Returns what ends that. */
export function cleanUpIdleClusters(context: ApiContext): () => Promise<void> {
  const { region, clock, log } = context;
  const stop = new AbortController();
  async function run(): Promise<void> {
    for (;;) {
      const idleMs = currentSettings(region.cache).cleanupReservableAutoClusterIdletime / NS_PER_MS;
      await clock.sleep(Math.min(idleMs / LOOKS_PER_IDLE_TIME, MAX_PAUSE_MS), stop.signal).catch(() => {});
      if (stop.signal.aborted) return;
      const { deleted, failed } = await deleteIdleClusters(context, idleMs);
      for (const cluster of deleted) log.info("Idle cluster deleted", { cluster });
      for (const { key, reason } of failed) log.warn("Idle cluster could not be deleted", { cluster: key, reason });
    }
  }
  const running = run();
  return async () => {
    stop.abort();
    await running;
  };
}
