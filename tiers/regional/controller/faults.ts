import { RpcError, Status } from "../../../shared/rpc/mod.ts";
import { type Issue, issueText, type ObjectKind } from "../../../shared/schema/mod.ts";
import { StoreError } from "../../../shared/store/mod.ts";

// Texts in this file hold fragments that other services compare against (specification 0.6): keep them.

/** Any kind of object. */
// deno-lint-ignore no-explicit-any -- the one place where kinds of different types are handled alike
export type AnyKind = ObjectKind<any, any>;

/** An object or a referenced key that is not there. */
export function notFound(kind: AnyKind, keyString: string): RpcError {
  return new RpcError(Status.NOT_FOUND, `${kind.kind} key ${keyString} not found`);
}

/** A key that is taken. */
export function alreadyExists(kind: AnyKind, keyString: string): RpcError {
  return new RpcError(Status.ALREADY_EXISTS, `${kind.kind} key ${keyString} already exists`);
}

/** An object on which a deletion has begun. */
export function beingDeleted(kind: AnyKind, keyString: string): RpcError {
  return failedPrecondition(`${kind.kind} ${keyString} is being deleted`);
}

/** An object that others refer to; the first few are named. */
export function inUse(kind: AnyKind, referrers: readonly { kind: AnyKind; keyString: string }[]): RpcError {
  const shown = referrers.slice(0, 3).map((referrer) => `${referrer.kind.kind} ${referrer.keyString}`).join(", ");
  const more = referrers.length > 3 ? ` and ${referrers.length - 3} more` : "";
  return failedPrecondition(`${kind.kind} in use by ${shown}${more}`);
}

/** The object is not in a state in which the request makes sense. */
export function failedPrecondition(message: string): RpcError {
  return new RpcError(Status.FAILED_PRECONDITION, message);
}

/** An object on which another operation is at work. Whoever wants to delete it is told whether that is so already. */
export function actionInProgress(kind: AnyKind, keyString: string, running: string, wanted: string): RpcError {
  const busy = wanted !== "delete"
    ? ""
    : running === "delete"
    ? " is busy, already under deletion"
    : " is busy, cannot be deleted";
  return failedPrecondition(`An action is already in progress for the object: ${kind.kind} ${keyString}${busy}`);
}

/** Whether a call failed as another operation is at work on its object. */
export function isBusy({ code, message }: RpcError): boolean {
  return code === Status.FAILED_PRECONDITION && message.startsWith("An action is already in progress");
}

/** The faults of a request, all at once, as field, rule and value. */
export function invalid(issues: readonly Issue[]): RpcError {
  return new RpcError(Status.INVALID_ARGUMENT, issues.map(issueText).join("; "));
}

/** Throws {@linkcode invalid} when there are faults. */
export function refuse(issues: readonly Issue[]): void {
  if (issues.length > 0) throw invalid(issues);
}

/** What the store threw, as callers see it. Texts of the database stay inside, as cause. */
export function fromStore(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const cause = { cause: error };
  switch (error.reason) {
    case "conflict":
      return new RpcError(Status.ABORTED, "The object is being changed by many callers at once, try again", cause);
    case "full":
      return new RpcError(
        Status.RESOURCE_EXHAUSTED,
        "The region's store is full: free space on its disk, or raise its quota, then try again",
        cause,
      );
    case "invalid":
      return new RpcError(
        Status.RESOURCE_EXHAUSTED,
        `The change is too large for the region's store: ${error.message}`,
        cause,
      );
    case "unavailable":
    case "lease":
    case "closed":
      return new RpcError(Status.UNAVAILABLE, "The region's store does not answer, try again later", cause);
    case "url":
    case "open":
    case "locked":
    case "foreign":
    case "newer":
    case "compacted":
    case "future":
      return new RpcError(Status.INTERNAL, "The region's store failed", cause);
  }
}
