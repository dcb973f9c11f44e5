import type { Clock } from "../../../../shared/runtime/mod.ts";
import { CloudletInfoKind, dme, kinds, type TrackedState } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import type { AnyKind } from "../faults.ts";
import type { SiteReports } from "../replication/site_reports.ts";
import { isDeletePrepared } from "../state/object_tx.ts";
import type { Region } from "../state/region.ts";
import { operationRow } from "../state/rows.ts";
import { isDeleting } from "./transitions.ts";

/** What {@linkcode startRecovery} works with. */
export interface RecoveryOptions {
  readonly region: Region;
  readonly reports: SiteReports;
  readonly clock: Clock;
  readonly log: Logger;
  /** Identity of this controller. */
  readonly controller: string;
  /** Time that sites have to come to this controller after it has started or another one has died, in milliseconds. */
  readonly siteGraceMs: number;
}

/**
 * Finishes or undoes what a controller that died, this one's earlier life or another, has left behind:
 *
 * - a deletion that had marked its object but not begun is undone: the mark goes;
 * - work that a site was asked for goes on, as the site's reports drive it;
 * - a site that was connected to the dead controller and does not come back is offline.
 *
 * Returns what ends the watch for that.
 */
export function startRecovery(options: RecoveryOptions): () => void {
  const { region, reports, clock, log, controller, siteGraceMs } = options;
  const { cache } = region;
  const stop = new AbortController();

  /** The operation that worked on the object is gone, whoever ran it. */
  async function unmark(kind: AnyKind, keyString: string): Promise<void> {
    const object = cache.get(kind, keyString);
    if (!isOrphan(object) || cache.hasOperation(kind, keyString)) return;
    try {
      await region.change(async (tx) => {
        const found = await tx.get(kind, keyString);
        if (!isOrphan(found) || await tx.getRow(operationRow(kind, keyString)) !== undefined) return;
        (found as { deletePrepare: boolean }).deletePrepare = false;
        tx.put(kind, found);
        log.info("Deletion that a controller left behind undone", { object: `${kind.kind} ${keyString}` });
      });
    } catch (error) {
      log.warn("Deletion that a controller left behind could not be undone", { object: keyString, error });
    }
  }

  async function takeOfflineAfterGrace(): Promise<void> {
    await clock.sleep(siteGraceMs, stop.signal).catch(() => {});
    if (stop.signal.aborted) return;
    for (const [key, info] of cache.table(CloudletInfoKind)) {
      if (info.state === dme.CloudletState.CLOUDLET_STATE_OFFLINE || reports.isConnected(key)) continue;
      // What was injected stands for no stream.
      if (info.controller === "") continue;
      if (info.controller === controller || !cache.hasController(info.controller)) reports.takeOffline(key);
    }
  }

  for (const kind of kinds as readonly AnyKind[]) {
    if (!kind.stored) continue;
    for (const keyString of cache.table(kind).keys()) void unmark(kind, keyString);
  }
  void takeOfflineAfterGrace();
  const unsubscribe = cache.subscribe(({ endedOperations, endedControllers }) => {
    for (const name of endedOperations) {
      const slash = name.indexOf("/");
      const kind = (kinds as readonly AnyKind[]).find((candidate) => candidate.kind === name.slice(0, slash));
      if (kind) void unmark(kind, name.slice(slash + 1));
    }
    if (endedControllers.length > 0) void takeOfflineAfterGrace();
  });
  return () => {
    stop.abort();
    unsubscribe();
  };
}

function isOrphan(object: unknown): boolean {
  return isDeletePrepared(object ?? {}) && !isDeleting((object as { state?: TrackedState }).state ?? 0);
}
