import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { Result } from "../../../../shared/schema/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import type { AnyKind } from "../faults.ts";
import { PROGRESS_LOST_MS } from "../limits.ts";
import type { Region } from "../state/region.ts";
import { progressRow } from "../state/rows.ts";
import type { Operations } from "./operations.ts";
import { failureOf, type ProgressRow, readProgressRow } from "./progress_row.ts";

/** What {@linkcode followProgress} works with. */
export interface FollowOptions {
  readonly region: Region;
  readonly operations: Operations;
  readonly clock: Clock;
}

/**
 * All lines of the last operation on an object from the first on, wherever it runs, until it ends (specification 5.7).
 * Throws what it failed with, and E_NOTFOUND when there is none or it was a deletion that succeeded.
 */
export async function* followProgress(
  { region, operations, clock }: FollowOptions,
  kind: AnyKind,
  keyString: string,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  const here = operations.progressOf(kind, keyString);
  if (here) return yield* here.read(signal);
  const rows = new Rows();
  const name = progressRow(kind, keyString);
  const unwatch = region.cache.watchRow(name, (value) => rows.changed(readProgressRow(value)));
  const unsubscribe = region.cache.subscribe(({ endedOperations }) => {
    if (endedOperations.includes(`${kind.kind}/${keyString}`)) rows.wake();
  });
  try {
    rows.changed(await region.change(async (tx) => readProgressRow(await tx.getRow(name))));
    const running = region.cache.operation(kind, keyString);
    const { row } = rows;
    if (running === undefined && (row === undefined || (row.action === "delete" && row.state === "done"))) {
      throw new RpcError(Status.NOT_FOUND, `Progress of ${kind.kind} key ${keyString} not found`);
    }
    const stream = running?.stream ?? row!.stream;
    for (let next = 0; !signal.aborted;) {
      const { row } = rows;
      if (row?.stream === stream) {
        next = Math.max(next, row.dropped);
        for (; next < row.dropped + row.lines.length; next++) {
          const [message, code] = row.lines[next - row.dropped]!;
          yield Result.create({ message, code });
        }
        if (row !== rows.row) continue;
        const failure = failureOf(row);
        if (failure) throw failure;
        if (row.state !== "running") return;
      } else if (row !== undefined && region.cache.operation(kind, keyString)?.stream !== stream) {
        // Another operation's: how this one ended is not kept.
        return;
      }
      const lost = region.cache.operation(kind, keyString) === undefined;
      if (!await rows.next(row, signal, clock, lost ? PROGRESS_LOST_MS : undefined) && lost) return;
    }
  } finally {
    unwatch();
    unsubscribe();
  }
}

/** The newest row, and who waits for one. */
class Rows {
  row: ProgressRow | undefined;
  #wakers = new Set<() => void>();

  changed(row: ProgressRow | undefined): void {
    // The row goes when it has been kept long enough; what it said last stays true.
    if (row !== undefined) this.row = row;
    this.wake();
  }

  wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }

  /** Waits for another row than `seen` or a waking; false when neither came in time. */
  async next(
    seen: ProgressRow | undefined,
    signal: AbortSignal,
    clock: Clock,
    timeoutMs: number | undefined,
  ): Promise<boolean> {
    if (this.row !== seen || signal.aborted) return true;
    const woken = Promise.withResolvers<boolean>();
    const wake = () => woken.resolve(true);
    this.#wakers.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    const timer = timeoutMs === undefined ? undefined : clock.setTimer(() => woken.resolve(false), timeoutMs);
    try {
      return await woken.promise;
    } finally {
      timer?.cancel();
      this.#wakers.delete(wake);
      signal.removeEventListener("abort", wake);
    }
  }
}
