import { open, stat, truncate } from "node:fs/promises";
import type { Clock, Files } from "../../shared/runtime/mod.ts";

/** Size above which an app's log is cut. It can be passed for as long as the pause between two looks. */
export const MAX_LOG_BYTES = 1024 * 1024;
/** What a cut keeps, in the file with the ending `.1`. */
const KEPT_LOG_BYTES = 256 * 1024;
const LOOK_INTERVAL_MS = 2000;

/** Keeps a log file within its bound until the returned function is called. */
export function boundLog(path: string, files: Files, clock: Clock): () => void {
  let ended = false;
  let timer = clock.setTimer(look, LOOK_INTERVAL_MS);
  function look(): void {
    cutLog(path, files).catch(() => {/* no log yet, or no longer */}).finally(() => {
      if (!ended) timer = clock.setTimer(look, LOOK_INTERVAL_MS);
    });
  }
  return () => {
    ended = true;
    timer.cancel();
  };
}

/** Moves the end of a log that is too long to its `.1` file and empties it; the app goes on appending. */
export async function cutLog(path: string, files: Files): Promise<void> {
  if ((await stat(path)).size <= MAX_LOG_BYTES) return;
  await files.writeAtomic(`${path}.1`, await readTail(path, KEPT_LOG_BYTES), { mode: 0o600 });
  await truncate(path, 0);
}

/** The last bytes of a file. */
export async function readTail(path: string, bytes: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const length = Math.min(bytes, size);
    const buffer = new Uint8Array(length);
    const { bytesRead } = await file.read(buffer, 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
