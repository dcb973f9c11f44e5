import type { Clock } from "../../../../shared/runtime/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import type { ControllerLease } from "../operations/controller_lease.ts";
import type { Region } from "../state/region.ts";

/** What a job works with. */
export interface JobDeps {
  readonly region: Region;
  readonly lease: ControllerLease;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Work that is due at certain times. */
export interface SharedJob {
  /** Name in the store. */
  readonly name: string;
  /** The newest time, not in the future, at which it was due. */
  lastDue(nowMs: number): number;
  /** How long it waits after it is due, so that what was written before is there, milliseconds. */
  readonly lateMs: number;
  /** Does the work. Done again after a failure or the death of a controller, it must come to the same. @param doneMs when it was done last */
  run(doneMs: number | undefined, dueMs: number): Promise<void>;
}

/** How often it is looked whether something is due, in milliseconds. */
const LOOK_MS = 1000;

/** Pause after a failure, and while another controller is at work, in milliseconds. */
const RETRY_MS = 30_000;

/**
 * Runs a job when it is due, by one of the region's controllers: who claims it, under its lease, does the work; when it dies
 * the claim goes with it and another one does it again.
 *
 * @returns what ends that
 */
export function runShared({ region, lease, clock, log }: JobDeps, job: SharedJob): () => Promise<void> {
  const stop = new AbortController();
  const doneRow = `/v1/Job/${job.name}`;
  const claimRow = `/v1/JobClaim/${job.name}`;

  async function follow(): Promise<void> {
    let doneMs = -1;
    while (!stop.signal.aborted) {
      const dueMs = job.lastDue(clock.now() - job.lateMs);
      let pauseMs = LOOK_MS;
      try {
        if (dueMs > doneMs) {
          if (await look(dueMs)) doneMs = dueMs;
          else pauseMs = RETRY_MS;
        }
      } catch (error) {
        pauseMs = RETRY_MS;
        if (!stop.signal.aborted) log.warn("Job failed, to be done again", { job: job.name, error });
      }
      await clock.sleep(pauseMs, stop.signal).catch(() => {});
    }
  }

  /** Does what is due unless another controller is at it. Returns whether it is done. */
  async function look(dueMs: number): Promise<boolean> {
    const claimed = await region.change(async (tx) => {
      const done = await tx.getRow(doneRow) as { untilMs: number } | undefined;
      if (done !== undefined && done.untilMs >= dueMs) return "done";
      if (await tx.getRow(claimRow) !== undefined) return "claimed";
      tx.putRow(claimRow, { dueMs }, lease.current);
      return { doneMs: done?.untilMs };
    });
    if (claimed === "done") return true;
    if (claimed === "claimed") return false;
    let finished = false;
    try {
      await job.run(claimed.doneMs, dueMs);
      finished = true;
    } finally {
      await region.change((tx) => {
        if (finished) tx.putRow(doneRow, { untilMs: dueMs });
        tx.removeRow(claimRow);
        return Promise.resolve();
      });
    }
    return true;
  }

  const running = follow();
  return async () => {
    stop.abort();
    await running;
  };
}
