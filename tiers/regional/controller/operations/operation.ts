import type { CRMOverride, JsonValue, ObjectKind } from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import type { OperationRow } from "../state/operation_row.ts";
import type { Progress } from "./progress.ts";

/** What is noted of an operation's state, so that another controller can carry it on. */
export interface StepNote {
  /** Words of the operation's own. @default unchanged, at first "" */
  readonly step?: string;
  /** Longest wait of the step, in milliseconds; counts on when another controller carries on. @default none */
  readonly timeoutMs?: number;
  /** What else has to be known. @default unchanged */
  readonly detail?: JsonValue;
}

/** What a running operation works with. */
export interface Operation {
  readonly progress: Progress;
  /** What the call said of how far it goes without the site; for one that is carried on, what it said at first. */
  readonly override: CRMOverride;
  /**
   * Takes the object for this operation, in its first transaction; throws E_STREAM when another one has it, unless the
   * override says to take it away.
   */
  claim(tx: ObjectTx, note?: StepNote): Promise<void>;
  /** Notes how far the operation has come, in a transaction that does what is noted. Throws ABORTED like `hold`. */
  note(tx: ObjectTx, note: StepNote): Promise<void>;
  /** Makes sure, in a transaction, that the object is still this operation's: throws ABORTED when it was taken away. */
  hold(tx: ObjectTx): Promise<void>;
  /** Lets the object go, in the operation's last transaction. What is not let go there is when the operation ends. */
  release(tx: ObjectTx): void;
  /**
   * Waits until `decide` gives an outcome for the object as it is, or it is gone; "timeout" after `timeoutMs`, or earlier
   * when the operation is being carried on and its step had a deadline. Throws UNAVAILABLE when the controller is
   * stopping, ABORTED when the object was taken away.
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
  /** @default NO_OVERRIDE */
  readonly override?: CRMOverride;
}

/** Runs long operations. */
export interface OperationRunner {
  /** Starts an operation; throws E_STREAM when one is running on the object, unless the override says otherwise. */
  run(
    kind: AnyKind,
    keyString: string,
    action: string,
    body: (operation: Operation) => Promise<void>,
    options?: RunOptions,
  ): Progress;
}

/**
 * Carries on an operation of one action whose controller is gone, from what its row and the object say: the object may be
 * in any state that the operation, the site or a crash can have left it in, or be gone. It finishes what was begun or
 * undoes it, and must bear being broken off and begun again.
 */
export type Resumption = (operation: Operation, keyString: string, row: OperationRow) => Promise<void>;

/** What carries operations on, by kind and action. */
export type Resumptions = Readonly<Record<string, Readonly<Record<string, Resumption>>>>;
