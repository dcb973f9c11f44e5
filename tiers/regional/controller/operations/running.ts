import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import { CRMOverride, type ObjectKind } from "../../../../shared/schema/mod.ts";
import { currentTraceparent } from "../../../../shared/telemetry/mod.ts";
import { actionInProgress, type AnyKind } from "../faults.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import { overrideOf } from "../rules/crm_override.ts";
import { type OperationRow, readOperationRow } from "../state/operation_row.ts";
import type { Region } from "../state/region.ts";
import { operationRow } from "../state/rows.ts";
import type { ControllerLease } from "./controller_lease.ts";
import type { Operation, StepNote } from "./operation.ts";
import { Progress } from "./progress.ts";

/** Whom an operation of this controller works with. */
export interface RunningDeps {
  readonly region: Region;
  readonly lease: ControllerLease;
  readonly clock: Clock;
  /** Aborts when the controller is stopping. */
  readonly stop: AbortSignal;
}

/** What an operation is about. */
export interface Target {
  readonly kind: AnyKind;
  readonly keyString: string;
  readonly action: string;
}

/** The controller ends; whoever comes next carries the operation on. */
export class StoppingError extends RpcError {
  constructor() {
    super(Status.UNAVAILABLE, "The controller is stopping; the work goes on, look at the object later");
  }
}

/** Somebody took the object away. */
export class TakenError extends RpcError {
  constructor() {
    super(Status.ABORTED, "Another operation has taken the object over");
  }
}

/** An operation that this controller runs; its claim on the object is a row of the store (`OperationRow`). */
export class RunningOperation implements Operation {
  readonly progress = new Progress();
  readonly target: Target;
  readonly override: CRMOverride;
  readonly #deps: RunningDeps;
  readonly #id: string;
  readonly #name: string;
  readonly #taken = new AbortController();
  #row: OperationRow | undefined;
  #released = false;
  #adopted = false;

  /** @param id unlike that of any other claim */
  constructor(deps: RunningDeps, id: string, target: Target, override: CRMOverride = CRMOverride.NO_OVERRIDE) {
    this.#deps = deps;
    this.#id = id;
    this.target = target;
    this.override = override;
    this.#name = operationRow(target.kind, target.keyString);
  }

  /** What the operation claimed the object with; undefined: it has not. */
  get row(): OperationRow | undefined {
    return this.#row;
  }

  /** Whether the object was let go in the body's own last transaction. */
  get released(): boolean {
    return this.#released;
  }

  async claim(tx: ObjectTx, note: StepNote = {}): Promise<void> {
    const { kind, keyString, action } = this.target;
    const { lease, clock } = this.#deps;
    // Whoever has no lease counts as dead, and would lose the object at once.
    void lease.current;
    const found = readOperationRow(await tx.getRow(this.#name));
    // A row of this controller's is one of an operation that ended without the store, and is carried on by this one.
    if (found !== undefined && found.owner !== lease.run && !overrideOf(this.override).ignoresBusy) {
      throw actionInProgress(kind, keyString, found.action, action);
    }
    const traceparent = currentTraceparent();
    this.#put(tx, {
      id: this.#id,
      // One that is carried on may begin anew, for the readers that it had.
      stream: found?.id === this.#id ? found.stream : this.#id,
      owner: lease.run,
      action,
      step: note.step ?? "",
      deadlineMs: note.timeoutMs === undefined ? 0 : clock.now() + note.timeoutMs,
      override: this.override,
      ...(note.detail !== undefined && { detail: note.detail }),
      ...(traceparent !== undefined && { traceparent }),
    });
  }

  /** Takes over, in a transaction, the claim of a controller that is gone, or one of our own that nobody works on. */
  adopt(tx: ObjectTx, row: OperationRow): void {
    this.#adopted = true;
    this.#put(tx, { ...row, id: this.#id, owner: this.#deps.lease.run });
  }

  async note(tx: ObjectTx, { step, timeoutMs, detail }: StepNote): Promise<void> {
    await this.hold(tx);
    this.#adopted = false;
    this.#put(tx, {
      ...this.#row!,
      ...(step !== undefined && { step }),
      deadlineMs: timeoutMs === undefined ? 0 : this.#deps.clock.now() + timeoutMs,
      ...(detail !== undefined && { detail }),
    });
  }

  async hold(tx: ObjectTx): Promise<void> {
    const found = readOperationRow(await tx.getRow(this.#name));
    if (found?.id !== this.#id) throw new TakenError();
  }

  release(tx: ObjectTx): void {
    tx.removeRow(this.#name);
    this.#released = true;
  }

  /** Ends the waiting, as another operation has the object now. */
  takeAway(): void {
    this.#taken.abort();
  }

  async wait<T, K, O>(
    kind: ObjectKind<T, K>,
    keyString: string,
    decide: (object: T | undefined) => O | undefined,
    timeoutMs: number,
  ): Promise<O | "timeout"> {
    const { clock, region, stop } = this.#deps;
    const late = new AbortController();
    const signal = AbortSignal.any([late.signal, stop, this.#taken.signal]);
    const timer = clock.setTimer(() => late.abort(), this.#limit(timeoutMs));
    try {
      const outcome = await region.cache.until(() => {
        if (this.#isTaken()) throw new TakenError();
        return decide(region.cache.get(kind, keyString));
      }, signal);
      if (outcome !== undefined) return outcome;
      if (late.signal.aborted) return "timeout";
      throw this.#taken.signal.aborted ? new TakenError() : new StoppingError();
    } finally {
      timer.cancel();
    }
  }

  #put(tx: ObjectTx, row: OperationRow): void {
    this.#row = row;
    this.#released = false;
    tx.putRow(this.#name, row as never);
  }

  /** Time that is left of a wait: of one that another controller began, only what it has not waited. */
  #limit(timeoutMs: number): number {
    const deadlineMs = this.#adopted ? this.#row!.deadlineMs : 0;
    return deadlineMs === 0 ? timeoutMs : Math.max(0, Math.min(timeoutMs, deadlineMs - this.#deps.clock.now()));
  }

  #isTaken(): boolean {
    if (this.#row === undefined || this.#released) return false;
    const { kind, keyString } = this.target;
    return this.#deps.region.cache.operation(kind, keyString)?.id !== this.#id;
  }
}
