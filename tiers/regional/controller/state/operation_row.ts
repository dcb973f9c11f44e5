import type { CRMOverride, JsonValue } from "../../../../shared/schema/mod.ts";

/**
 * What the store knows of a running operation: enough for any controller to carry it on when the one that runs it dies.
 * The row outlives that controller; whether its owner is alive, the rows of controllers tell.
 */
export interface OperationRow {
  /** Tells this claim from every other one: whoever finds another here than its own has lost the object. */
  readonly id: string;
  /** Names the operation for those who follow its progress; it stays the same when another controller carries it on. */
  readonly stream: string;
  /** The life of the controller that runs the operation (`Controller.run`). */
  readonly owner: string;
  /** "create", "update", "delete", … */
  readonly action: string;
  /** How far the operation has come, in words of its own; empty at first. */
  readonly step: string;
  /** When the present step's wait is over, epoch milliseconds; 0: not said. */
  readonly deadlineMs: number;
  /** How far the call goes without the site. */
  readonly override: CRMOverride;
  /** What else is needed to carry on, such as the state to go back to. */
  readonly detail?: JsonValue;
  readonly traceparent?: string;
}

/** The row of a stored value; undefined when it is none, such as one of an earlier program. */
export function readOperationRow(value: JsonValue | undefined): OperationRow | undefined {
  const row = value as unknown as OperationRow | undefined;
  return typeof row?.id === "string" && typeof row.action === "string" ? row : undefined;
}
