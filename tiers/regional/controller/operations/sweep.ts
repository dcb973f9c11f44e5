import type { Clock } from "../../../../shared/runtime/mod.ts";
import { findKind } from "../../../../shared/schema/mod.ts";
import type { Store } from "../../../../shared/store/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import type { AnyKind } from "../faults.ts";
import { PROGRESS_KEPT_MS, PROGRESS_SWEEP_MS } from "../limits.ts";
import type { Region } from "../state/region.ts";
import { decodeRow, PROGRESS_PREFIX, SITE_PROGRESS_PREFIX } from "../state/rows.ts";
import { readProgressRow } from "./progress_row.ts";

/** Rows that are read at once. */
const PAGE_ROWS = 500;

/** Forgets, now and then, the progress of operations that ended long ago. Returns what ends that. */
export function startSweeping(store: Store, region: Region, clock: Clock, log: Logger): () => void {
  const stop = new AbortController();
  void (async () => {
    for (;;) {
      await clock.sleep(PROGRESS_SWEEP_MS, stop.signal).catch(() => {});
      if (stop.signal.aborted) return;
      try {
        await sweepProgress(store, region, clock.now());
      } catch (error) {
        log.warn("Progress of operations that ended long ago could not be forgotten", { error });
      }
    }
  })();
  return () => stop.abort();
}

/**
 * Removes progress that has been kept long enough: of a failure as long as its object is there, of all else for a time;
 * and what sites said of operations that are over.
 */
export async function sweepProgress(store: Store, region: Region, nowMs: number): Promise<void> {
  for (const prefix of [PROGRESS_PREFIX, SITE_PROGRESS_PREFIX]) {
    for (let after: string | undefined, more = true; more;) {
      const page = await store.scan(prefix, { limit: PAGE_ROWS, after });
      for (const { key, value, modRevision } of page.entries) {
        const name = key.slice(prefix.length);
        const slash = name.indexOf("/");
        const kind = findKind(name.slice(0, slash)) as AnyKind | undefined;
        const keyString = name.slice(slash + 1);
        if (kind !== undefined && region.cache.operation(kind, keyString)) continue;
        const row = prefix === PROGRESS_PREFIX ? readProgressRow(decodeRow(value)) : undefined;
        const isKept = row !== undefined && nowMs - row.endedMs < PROGRESS_KEPT_MS;
        const isFailure = row?.state === "failed" && kind && region.cache.get(kind, keyString) !== undefined;
        if (isKept || isFailure) continue;
        // Not when an operation has written it anew.
        await store.transact([{ key, target: "modRevision", op: "=", value: modRevision }], [{ type: "delete", key }]);
      }
      after = page.entries.at(-1)?.key;
      more = page.more;
    }
  }
}
