import { PlatformError } from "./errors.ts";

/** Bounds and reporting of one operation. */
export interface OperationContext {
  /** Epoch milliseconds by which it must have ended. */
  readonly deadline: number;
  /** Aborts when the operation is to be given up; its reason says why. */
  readonly signal: AbortSignal;
  /** Tells the user what is being done: a task, and optionally a step inside it. */
  progress(task: string, step?: string): void;
  /** Equal for repeated attempts at the same operation. */
  readonly idempotencyKey?: string;
}

/** Milliseconds until the deadline, at least 0. */
export function remainingMs(operation: OperationContext, now: number): number {
  return Math.max(0, operation.deadline - now);
}

/** Throws when the operation was given up or its time is over. */
export function throwIfEnded(operation: OperationContext, now: number): void {
  operation.signal.throwIfAborted();
  if (now >= operation.deadline) throw new PlatformError("Transient", "The operation's time is over");
}
