import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import { CRMOverride, type StatusInfo } from "../../../../shared/schema/mod.ts";
import { StoreError } from "../../../../shared/store/mod.ts";
import { type Logger, runWithTraceparent } from "../../../../shared/telemetry/mod.ts";
import { actionInProgress, type AnyKind } from "../faults.ts";
import { CARRY_ON_MAX_MS, CARRY_ON_MIN_MS } from "../limits.ts";
import { overrideOf } from "../rules/crm_override.ts";
import { type OperationRow, readOperationRow } from "../state/operation_row.ts";
import type { Region } from "../state/region.ts";
import { operationRow, progressRow, siteProgressRow } from "../state/rows.ts";
import type { ControllerLease } from "./controller_lease.ts";
import type { Operation, OperationRunner, Resumption, Resumptions, RunOptions } from "./operation.ts";
import type { Progress } from "./progress.ts";
import { isFollowed, progressValue, readProgressRow } from "./progress_row.ts";
import { ProgressWriter } from "./progress_writer.ts";
import { RunningOperation, StoppingError, TakenError, type Target } from "./running.ts";
import { SiteProgress } from "./site_progress.ts";
import { undoMark } from "./undo_mark.ts";

export type { Operation, OperationRunner, Resumption, Resumptions, RunOptions } from "./operation.ts";

/** One operation of this controller. */
interface Running {
  readonly operation: RunningOperation;
  readonly done: Promise<void>;
}

/**
 * Long operations, one at a time for each object. They run on whether or not anybody listens. While one runs, a row in the
 * store holds the object and says how far it has come; it outlives its controller, so that another one can carry the
 * operation on. One that the store broke off is carried on here when the store is back.
 */
export class Operations implements OperationRunner {
  readonly #region: Region;
  readonly #lease: ControllerLease;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #siteProgress: SiteProgress;
  readonly #running = new Map<string, Running>();
  readonly #stop = new AbortController();
  readonly #later = new Set<Promise<void>>();
  #resumptions: Resumptions = {};
  #count = 0;

  constructor(region: Region, lease: ControllerLease, clock: Clock, log: Logger) {
    this.#region = region;
    this.#lease = lease;
    this.#clock = clock;
    this.#log = log;
    this.#siteProgress = new SiteProgress(region, clock, log);
  }

  /** Says how operations are carried on; those of other kinds and actions only lose their mark of a deletion. */
  carryOnBy(resumptions: Resumptions): void {
    this.#resumptions = resumptions;
  }

  run(
    kind: AnyKind,
    keyString: string,
    action: string,
    body: (operation: Operation) => Promise<void>,
    { override = CRMOverride.NO_OVERRIDE }: RunOptions = {},
  ): Progress {
    const name = operationRow(kind, keyString);
    const running = this.#running.get(name)?.operation;
    if (running && !overrideOf(override).ignoresBusy) {
      throw actionInProgress(kind, keyString, running.target.action, action);
    }
    if (this.#stop.signal.aborted) throw new StoppingError();
    running?.takeAway();
    const operation = this.#create({ kind, keyString, action }, override);
    this.#start(name, operation, () => body(operation));
    return operation.progress;
  }

  /** Progress of the operation that runs here on an object. */
  progressOf(kind: AnyKind, keyString: string): Progress | undefined {
    return this.#running.get(operationRow(kind, keyString))?.operation.progress;
  }

  /** Whether an operation on the object runs here. */
  isRunning(kind: AnyKind, keyString: string): boolean {
    return this.#running.has(operationRow(kind, keyString));
  }

  /** Passes a site's progress on to the readers of the operation on the object, wherever it runs. */
  report(kind: AnyKind, keyString: string, status: StatusInfo | undefined): void {
    if (status === undefined) return;
    const here = this.progressOf(kind, keyString);
    if (here) here.report(status);
    else if (isFollowed(kind) && this.#region.cache.operation(kind, keyString)) {
      this.#siteProgress.forward(kind, keyString, status);
    }
  }

  /**
   * Carries on the operation on an object when the controller that ran it is gone. Does nothing when it is not, and when
   * another controller is quicker. Tries until the store takes it.
   */
  takeOver(kind: AnyKind, keyString: string): void {
    this.#soon(async () => {
      for (let pauseMs = 0; !this.#stop.signal.aborted; pauseMs = nextPause(pauseMs)) {
        await this.#sleep(pauseMs);
        if (this.#stop.signal.aborted) return;
        try {
          return await this.#takeOver(kind, keyString);
        } catch (error) {
          this.#log.warn("Operation of a controller that is gone cannot be carried on yet", {
            object: `${kind.kind} ${keyString}`,
            error,
          });
        }
      }
    });
  }

  /** Whether somebody has to carry on an operation: its controller is gone, or it was ours and the store broke it off. */
  isAbandoned(kind: AnyKind, keyString: string, { owner }: OperationRow): boolean {
    return owner === this.#lease.run ? !this.isRunning(kind, keyString) : !this.#region.cache.hasRun(owner);
  }

  /** Ends the waiting of all operations; another controller, or the next life of this one, carries them on. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#siteProgress.close();
    await Promise.all([...this.#later, ...[...this.#running.values()].map(({ done }) => done)]);
  }

  #create(target: Target, override: CRMOverride): RunningOperation {
    const { signal: stop } = this.#stop;
    const deps = { region: this.#region, lease: this.#lease, clock: this.#clock, stop };
    return new RunningOperation(deps, `${this.#lease.run}#${++this.#count}`, target, override);
  }

  #start(name: string, operation: RunningOperation, body: () => Promise<void>): void {
    const done = this.#execute(name, operation, body);
    this.#running.set(name, { operation, done });
  }

  async #execute(name: string, operation: RunningOperation, body: () => Promise<void>): Promise<void> {
    const { kind, keyString, action } = operation.target;
    const writer = isFollowed(kind) ? new ProgressWriter(operation, this.#region, this.#clock, this.#log) : undefined;
    // Not before the caller has the progress, which it must see among the running ones.
    await Promise.resolve();
    let failure: RpcError | undefined;
    try {
      await body();
    } catch (error) {
      failure = RpcError.from(error);
      if (failure.code === Status.INTERNAL) {
        this.#log.error("Operation failed", { action, object: `${kind.kind} ${keyString}`, error });
      }
    }
    await writer?.end();
    const concluded = await this.#conclude(name, operation, failure, writer?.siteRowSeen ?? false);
    if (this.#running.get(name)?.operation === operation) this.#running.delete(name);
    operation.progress.end(failure);
    if (!concluded) this.takeOver(kind, keyString);
  }

  /** Lets the object go, and stores how the operation ended. False when it has to be carried on. */
  async #conclude(
    name: string,
    operation: RunningOperation,
    failure: RpcError | undefined,
    siteRowSeen: boolean,
  ): Promise<boolean> {
    const { row, progress, target } = operation;
    if (row === undefined || failure instanceof TakenError || failure instanceof StoppingError) return true;
    const brokenOff = failure?.cause instanceof StoreError;
    if (!operation.released && brokenOff) return false;
    const followed = isFollowed(target.kind);
    if (operation.released && !followed && !brokenOff) return true;
    const end = { error: failure, atMs: this.#clock.now() };
    try {
      return await this.#region.change(async (tx) => {
        const found = readOperationRow(await tx.getRow(name));
        // Another one's; or none, because the claim was part of a transaction that was refused.
        if (found === undefined ? !operation.released : found.id !== row.id) return true;
        // The transaction that was to let the object go came to nothing, and so did what else it was to do.
        if (found !== undefined && brokenOff) return false;
        if (found !== undefined) tx.removeRow(name);
        if (!followed) return true;
        const progressName = progressRow(target.kind, target.keyString);
        tx.putRow(progressName, progressValue(row.stream, row.action, progress.stored(), end));
        if (siteRowSeen) tx.removeRow(siteProgressRow(target.kind, target.keyString));
        return true;
      });
    } catch (error) {
      this.#log.warn("End of an operation could not be stored yet", { operation: name, error });
      return operation.released && !brokenOff;
    }
  }

  async #takeOver(kind: AnyKind, keyString: string): Promise<void> {
    const name = operationRow(kind, keyString);
    if (this.#running.has(name)) return;
    const found = this.#region.cache.operation(kind, keyString);
    if (found === undefined) return;
    const operation = this.#create({ kind, keyString, action: found.action }, found.override);
    const ready = Promise.withResolvers<void>();
    // Held here from now on, so that nobody begins another one in between.
    this.#running.set(name, { operation, done: ready.promise });
    let row: OperationRow | undefined;
    try {
      row = await this.#adopt(name, operation);
    } finally {
      ready.resolve();
      if (this.#running.get(name)?.operation === operation) this.#running.delete(name);
    }
    if (row === undefined || this.#stop.signal.aborted) return;
    this.#log.info("Operation carried on", { action: row.action, step: row.step, object: `${kind.kind} ${keyString}` });
    const resume: Resumption = this.#resumptions[kind.kind]?.[row.action] ??
      (() => undoMark(this.#region, operation, kind, keyString));
    this.#start(name, operation, () => runWithTraceparent(row.traceparent, () => resume(operation, keyString, row)));
  }

  /** Takes the row of an operation whose controller is gone, and its progress so far. */
  #adopt(name: string, operation: RunningOperation): Promise<OperationRow | undefined> {
    const { kind, keyString } = operation.target;
    return this.#region.change(async (tx) => {
      const row = readOperationRow(await tx.getRow(name));
      const isAlive = row && row.owner !== this.#lease.run && this.#region.cache.hasRun(row.owner);
      if (row === undefined || isAlive) return undefined;
      void this.#lease.current;
      operation.adopt(tx, row);
      const progress = isFollowed(kind) ? readProgressRow(await tx.getRow(progressRow(kind, keyString))) : undefined;
      if (progress?.stream === row.stream && operation.progress.isEmpty) operation.progress.restore(progress);
      return row;
    });
  }

  #soon(task: () => Promise<void>): void {
    const running = task().finally(() => this.#later.delete(running));
    this.#later.add(running);
  }

  async #sleep(ms: number): Promise<void> {
    if (ms > 0) await this.#clock.sleep(ms, this.#stop.signal).catch(() => {});
  }
}

function nextPause(pauseMs: number): number {
  return pauseMs === 0 ? CARRY_ON_MIN_MS : Math.min(CARRY_ON_MAX_MS, pauseMs * 2);
}
