import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import type { CRMOverride, ObjectKind, StatusInfo } from "../../../../shared/schema/mod.ts";
import { currentTraceparent, type Logger } from "../../../../shared/telemetry/mod.ts";
import { actionInProgress, type AnyKind } from "../faults.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import type { Region } from "../state/region.ts";
import { operationRow } from "../state/rows.ts";
import type { ControllerLease } from "./controller_lease.ts";
import { Progress } from "./progress.ts";

/** What a running operation works with. */
export interface Operation {
  readonly progress: Progress;
  /** Takes the object for this operation, in its first transaction; throws E_STREAM when another one has it. */
  claim(tx: ObjectTx): Promise<void>;
  /** Lets the object go, in the operation's last transaction. What is not let go there is when the operation ends. */
  release(tx: ObjectTx): void;
  /**
   * Waits until `decide` gives an outcome for the object as it is, or it is gone; "timeout" after `timeoutMs`.
   * Throws UNAVAILABLE when the controller is stopping.
   */
  wait<T, K, O>(
    kind: ObjectKind<T, K>,
    keyString: string,
    decide: (object: T | undefined) => O | undefined,
    timeoutMs: number,
  ): Promise<O | "timeout">;
}

/** How an operation is run. */
export interface RunOptions {
  /** How far the call goes without the site. @default NO_OVERRIDE */
  readonly override?: CRMOverride;
}

/** Runs long operations. */
export interface OperationRunner {
  /** Starts an operation; throws E_STREAM when one is running on the object. */
  run(
    kind: AnyKind,
    keyString: string,
    action: string,
    body: (operation: Operation) => Promise<void>,
    options?: RunOptions,
  ): Progress;
}

/**
 * Long operations, one at a time for each object. They run on whether or not anybody listens. While one runs, its row in
 * the store holds the object, under the lease of this controller: when the controller dies the row goes with it.
 */
export class Operations implements OperationRunner {
  readonly #region: Region;
  readonly #lease: ControllerLease;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #owner: string;
  readonly #running = new Map<string, { action: string; progress: Progress; done: Promise<void> }>();
  readonly #stop = new AbortController();

  /** @param owner identity of this run of the controller, so that its own rows are known again */
  constructor(region: Region, lease: ControllerLease, clock: Clock, log: Logger, owner: string) {
    this.#region = region;
    this.#lease = lease;
    this.#clock = clock;
    this.#log = log;
    this.#owner = owner;
  }

  /** Starts an operation; throws E_STREAM when this controller is running one on the object. */
  run(kind: AnyKind, keyString: string, action: string, body: (operation: Operation) => Promise<void>): Progress {
    const name = operationRow(kind, keyString);
    const running = this.#running.get(name);
    if (running) throw actionInProgress(kind, keyString, running.action, action);
    if (this.#stop.signal.aborted) throw stopping();
    const progress = new Progress();
    const done = this.#execute(name, kind, keyString, action, progress, body);
    this.#running.set(name, { action, progress, done });
    return progress;
  }

  /** Passes a site's progress on to the readers of the operation on the object, when one is running here. */
  report(kind: AnyKind, keyString: string, status: StatusInfo | undefined): void {
    this.#running.get(operationRow(kind, keyString))?.progress.report(status);
  }

  /** Ends the waiting of all operations; what they were waiting for goes on without them. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  async #execute(
    name: string,
    kind: AnyKind,
    keyString: string,
    action: string,
    progress: Progress,
    body: (operation: Operation) => Promise<void>,
  ): Promise<void> {
    let held = false;
    const operation: Operation = {
      progress,
      claim: async (tx) => {
        const row = await tx.getRow(name) as { owner?: string; action?: string } | undefined;
        if (row !== undefined && row.owner !== this.#owner) {
          throw actionInProgress(kind, keyString, row.action ?? "", action);
        }
        const traceparent = currentTraceparent();
        const value = { owner: this.#owner, action, ...(traceparent === undefined ? {} : { traceparent }) };
        tx.putRow(name, value, this.#lease.current);
        held = true;
      },
      release: (tx) => tx.removeRow(name),
      wait: (waitedKind, waitedKey, decide, timeoutMs) =>
        this.#wait(() => decide(this.#region.cache.get(waitedKind, waitedKey)), timeoutMs),
    };
    // Not before the caller has the progress, which it must see among the running ones.
    await Promise.resolve();
    let failure: RpcError | undefined;
    try {
      await body(operation);
    } catch (error) {
      failure = RpcError.from(error);
      if (failure.code === Status.INTERNAL) {
        this.#log.error("Operation failed", { action, object: `${kind.kind} ${keyString}`, error });
      }
    }
    if (held) await this.#letGo(name);
    this.#running.delete(name);
    progress.end(failure);
  }

  /** Removes what is left of the operation's row. When the store fails, the lease or this run's next claim does it. */
  async #letGo(name: string): Promise<void> {
    try {
      await this.#region.change(async (tx) => {
        const row = await tx.getRow(name) as { owner?: string } | undefined;
        if (row?.owner === this.#owner) tx.removeRow(name);
      });
    } catch (error) {
      this.#log.warn("Row of an ended operation could not be removed", { row: name, error });
    }
  }

  async #wait<O>(probe: () => O | undefined, timeoutMs: number): Promise<O | "timeout"> {
    const late = new AbortController();
    const signal = AbortSignal.any([late.signal, this.#stop.signal]);
    const timer = this.#clock.setTimer(() => late.abort(), timeoutMs);
    try {
      const outcome = await this.#region.cache.until(probe, signal);
      if (outcome !== undefined) return outcome;
      if (late.signal.aborted) return "timeout";
      throw stopping();
    } finally {
      timer.cancel();
    }
  }
}

function stopping(): RpcError {
  return new RpcError(Status.UNAVAILABLE, "The controller is stopping; the work goes on, look at the object later");
}
