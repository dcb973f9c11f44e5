import type { Clock } from "../../../../shared/runtime/mod.ts";
import { CloudletInfoKind, kinds } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import type { AnyKind } from "../faults.ts";
import { TAKE_OVER_PAUSE_MS } from "../limits.ts";
import type { SiteReports } from "../replication/site_reports.ts";
import type { Region } from "../state/region.ts";
import { operationRow } from "../state/rows.ts";
import type { Operations } from "./operations.ts";
import { isOrphan } from "./undo_mark.ts";

/** What {@linkcode startRecovery} works with. */
export interface RecoveryOptions {
  readonly region: Region;
  readonly operations: Operations;
  readonly reports: SiteReports;
  readonly clock: Clock;
  readonly log: Logger;
  /** Identity of this controller. */
  readonly controller: string;
  /** Time that sites have to come to this controller after it has started or another one has died, in milliseconds. */
  readonly siteGraceMs: number;
}

/**
 * Takes up what a controller that died, this one's earlier life or another, has left behind:
 *
 * - its operations are carried on from where they were;
 * - a mark of a deletion that no operation stands for (one of an earlier program) goes;
 * - a site that was connected to the dead controller and does not come back is offline.
 *
 * Returns what ends the watch for that.
 */
export function startRecovery(options: RecoveryOptions): () => void {
  const { region, operations, reports, clock, log, controller, siteGraceMs } = options;
  const { cache } = region;
  const stop = new AbortController();

  function takeOver(): void {
    for (const name of cache.operationNames()) {
      const slash = name.indexOf("/");
      const kind = (kinds as readonly AnyKind[]).find((candidate) => candidate.kind === name.slice(0, slash));
      const keyString = name.slice(slash + 1);
      const row = kind && cache.operation(kind, keyString);
      if (kind && row && operations.isAbandoned(kind, keyString, row)) operations.takeOver(kind, keyString);
    }
  }

  /** Some are noticed by nothing else: a claim that the store took without being able to say so. */
  async function takeOverNowAndThen(): Promise<void> {
    while (!stop.signal.aborted) {
      await clock.sleep(TAKE_OVER_PAUSE_MS, stop.signal).catch(() => {});
      if (!stop.signal.aborted) takeOver();
    }
  }

  async function unmark(kind: AnyKind, keyString: string): Promise<void> {
    if (!isOrphan(cache.get(kind, keyString)) || cache.operation(kind, keyString)) return;
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
      // One that is offline already is looked at, too: its alerts went with the controller that raised them.
      if (reports.isConnected(key)) continue;
      // What was injected stands for no stream.
      if (info.controller === "") continue;
      if (info.controller === controller || !cache.hasController(info.controller)) reports.takeOffline(key);
    }
  }

  for (const kind of kinds as readonly AnyKind[]) {
    if (!kind.stored) continue;
    for (const keyString of cache.table(kind).keys()) void unmark(kind, keyString);
  }
  takeOver();
  void takeOverNowAndThen();
  void takeOfflineAfterGrace();
  const unsubscribe = cache.subscribe(({ endedControllers }) => {
    if (endedControllers.length === 0) return;
    takeOver();
    void takeOfflineAfterGrace();
  });
  return () => {
    stop.abort();
    unsubscribe();
  };
}
