import type { FileStat, WatchOptions } from "./files.ts";

const DEFAULT_INTERVAL_MS = 1000;

/**
 * Compares what `stat` says of each path at intervals. A notification API would be quicker, but is blind on some
 * container and network file systems, and to a link in the middle of a path that is swapped.
 */
export async function* watchByPolling(
  stat: (path: string) => Promise<FileStat | undefined>,
  paths: readonly string[],
  options: WatchOptions,
): AsyncGenerator<string[]> {
  const { clock, signal, intervalMs = DEFAULT_INTERVAL_MS } = options;
  const look = async () =>
    new Map(await Promise.all(paths.map(async (path) => [path, mark(await stat(path))] as const)));
  let before = await look();
  while (!signal?.aborted) {
    try {
      await clock.sleep(intervalMs, signal);
    } catch (error) {
      if (signal?.aborted) return;
      throw error;
    }
    const after = await look();
    const changed = paths.filter((path) => before.get(path) !== after.get(path));
    before = after;
    if (changed.length > 0) yield changed;
  }
}

/** A text that differs whenever the file was replaced or written. */
function mark(stat: FileStat | undefined): string {
  return stat === undefined ? "" : `${stat.inode}:${stat.size}:${stat.modifiedMs}`;
}
