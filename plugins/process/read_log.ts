import { open, stat } from "node:fs/promises";
import type { Clock } from "../../shared/runtime/mod.ts";
import {
  lastLinesOf,
  type LogOptions,
  type OperationContext,
  type OutputPiece,
  PlatformError,
} from "../../shared/platform/mod.ts";
import { MAX_LOG_BYTES } from "./bounded_log.ts";

/** Longest piece that is read at once. */
const PIECE_BYTES = 64 * 1024;
/** How often it is looked whether the app has written more. */
const FOLLOW_INTERVAL_MS = 250;

/**
 * What an app has written into its bounded log: what the last cut has kept, and everything since. Output and errors are in
 * one file, whose lines carry no times. While a reader that follows stands still, a cut may take what it has not read.
 */
export async function* readLog(
  path: string,
  options: LogOptions,
  clock: Clock,
  operation: OperationContext,
): AsyncGenerator<OutputPiece, void> {
  if (options.sinceMs !== undefined || options.timestamps) {
    throw new PlatformError("Invalid", "This site keeps no times of lines: neither since nor timestamps can be given");
  }
  const kept = await readRange(`${path}.1`, 0, MAX_LOG_BYTES);
  let at = 0;
  if (options.tail === undefined) yield* pieces(kept);
  else {
    const size = await sizeOf(path) ?? 0;
    const present = await readRange(path, Math.max(0, size - MAX_LOG_BYTES), Math.min(size, MAX_LOG_BYTES));
    const whole = new Uint8Array(kept.length + present.length);
    whole.set(kept);
    whole.set(present, kept.length);
    yield* pieces(lastLinesOf(whole, options.tail));
    at = size;
  }
  for (;;) {
    operation.signal.throwIfAborted();
    const size = await sizeOf(path);
    // The instance has been deleted.
    if (size === undefined) return;
    // The log has been cut.
    if (size < at) at = 0;
    while (at < size) {
      const data = await readRange(path, at, Math.min(PIECE_BYTES, size - at));
      if (data.length === 0) break;
      at += data.length;
      yield { data, source: "stdout" };
    }
    if (!options.follow) return;
    await clock.sleep(FOLLOW_INTERVAL_MS, operation.signal);
  }
}

function* pieces(bytes: Uint8Array): Generator<OutputPiece> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield { data: bytes.subarray(at, at + PIECE_BYTES), source: "stdout" };
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}

/** Part of a file; empty when there is none. */
async function readRange(path: string, at: number, length: number): Promise<Uint8Array> {
  let file;
  try {
    file = await open(path, "r");
  } catch {
    return new Uint8Array();
  }
  try {
    const buffer = new Uint8Array(Math.min(length, Math.max(0, (await file.stat()).size - at)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
