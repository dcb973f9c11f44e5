import type { UsageEvent } from "./usage_events.ts";

/** What happened to an object, and when. */
export interface UsageRecord {
  readonly timeMs: number;
  readonly event: UsageEvent;
  readonly status: "UP" | "DOWN";
}

/** State of an object at a boundary in time. */
export interface Checkpoint {
  /** Begin of the span that it sums up: the checkpoint before, or when the object was created or reserved. */
  readonly startMs: number;
  readonly endMs: number;
  /** Time within the span in which it could be used. */
  readonly uptimeMs: number;
  readonly status: "UP" | "DOWN";
}

/**
 * Sums up an object's time until a boundary (specification 8.3). Its records are walked from the newest to the oldest: time
 * after one counts as its status says. The walk ends where the object was created or reserved, or at the checkpoint before,
 * whose status tells of the time until the oldest record. What is not known of does not count as time in use.
 *
 * @param records in any order; those outside of the span do not matter
 * @returns undefined when there was nothing of the object before the boundary
 */
export function checkpoint(
  records: readonly UsageRecord[],
  previous: Pick<Checkpoint, "endMs" | "status"> | undefined,
  endMs: number,
): Checkpoint | undefined {
  const after = previous?.endMs ?? -Infinity;
  const walked = records.filter(({ timeMs }) => timeMs > after && timeMs <= endMs)
    .sort((a, b) => b.timeMs - a.timeMs);
  if (walked.length === 0 && previous === undefined) return undefined;
  const status = walked[0]?.status ?? previous!.status;
  let uptimeMs = 0;
  let until = endMs;
  for (const { timeMs, event, status } of walked) {
    if (status === "UP") uptimeMs += until - timeMs;
    until = timeMs;
    if (event === "CREATED" || event === "RESERVED") {
      return { startMs: timeMs, endMs, uptimeMs, status: walked[0]!.status };
    }
  }
  if (previous === undefined) return { startMs: until, endMs, uptimeMs, status };
  if (previous.status === "UP") uptimeMs += until - previous.endMs;
  return { startMs: previous.endMs, endMs, uptimeMs, status };
}

/** How often checkpoints are made: at the beginning of each month, UTC, or of each span of so many milliseconds. */
export type CheckpointInterval = "MONTH" | number;

/** The newest boundary that is not in the future. */
export function lastBoundary(interval: CheckpointInterval, nowMs: number): number {
  if (interval !== "MONTH") return Math.floor(nowMs / interval) * interval;
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
}
