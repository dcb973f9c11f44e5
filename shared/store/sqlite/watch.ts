import { CompactedError } from "../errors.ts";
import { decodeKey } from "../keys.ts";
import { WATCH_WINDOW_REVISIONS } from "../limits.ts";
import type { WatchBatch, WatchOptions } from "../store.ts";
import type { Committer } from "./committer.ts";
import { type HistoryRow, type Rows, toEntry } from "./rows.ts";

/** What to follow, and from where. */
interface Cursor extends WatchOptions {
  readonly prefix: Uint8Array;
}

/**
 * Follows the history table: a watcher is a cursor into it, so a slow one costs nothing and is told when it is lost.
 *
 * @param begin makes the cursor, or throws, when the watcher first asks
 */
export async function* watchHistory(
  rows: Rows,
  committer: Committer,
  begin: () => Cursor,
): AsyncGenerator<WatchBatch> {
  const { prefix, fromRevision, signal } = begin();
  let next = fromRevision;
  while (!signal.aborted) {
    if (next <= committer.compacted) throw new CompactedError(next, committer.compacted);
    const head = committer.revision;
    if (next > head) {
      await committer.changed(signal);
      continue;
    }
    const to = Math.min(head, next + WATCH_WINDOW_REVISIONS - 1);
    const batches = byRevision(rows.changes(prefix, next, to));
    // Tells a reader that waits for a revision that nothing of its prefix happened up to there.
    if (batches.at(-1)?.revision !== to) batches.push({ revision: to, events: [] });
    next = to + 1;
    for (const batch of batches) {
      if (signal.aborted) return;
      yield batch;
    }
  }
}

function byRevision(changes: HistoryRow[]): WatchBatch[] {
  const batches: WatchBatch[] = [];
  for (const row of changes) {
    let batch = batches.at(-1);
    if (batch?.revision !== row.mod_revision) batches.push(batch = { revision: row.mod_revision, events: [] });
    const key = decodeKey(row.key);
    batch!.events.push(
      row.value === null
        ? { type: "delete", key, modRevision: row.mod_revision }
        : { type: "put", key, entry: toEntry(row), modRevision: row.mod_revision },
    );
  }
  return batches;
}
