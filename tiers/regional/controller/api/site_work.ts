import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import {
  type Cloudlet,
  CloudletInfoKind,
  type CloudletKey,
  CloudletKind,
  dme,
  enumText,
  type ObjectKind,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { beingDeleted, failedPrecondition } from "../faults.ts";
import type { Operation } from "../operations/operations.ts";
import { isDeletePrepared, type ObjectTx } from "../state/object_tx.ts";

/** Code of the last line of a call whose work goes on after it (specification 11). */
export const STILL_IN_PROGRESS = 2;

/** The site failed; its own words follow. */
export function siteFailure(errors: readonly string[]): RpcError {
  return new RpcError(Status.UNKNOWN, `Encountered failures: ${errors.join("; ") || "no reason was given"}`);
}

/** The site did not even begin in time. */
export function timedOut(what: string): RpcError {
  return new RpcError(Status.DEADLINE_EXCEEDED, `Timed out: ${what}`);
}

/** Throws unless the cloudlet is open for work on clusters and instances (specification 5.4). */
export async function requireWorkingCloudlet(
  tx: ObjectTx,
  key: CloudletKey,
  options: { deleting?: boolean } = {},
): Promise<Cloudlet> {
  const keyString = CloudletKind.keyString(key);
  const cloudlet = await tx.require(CloudletKind, keyString);
  // What is on a cloudlet may be deleted while the cloudlet itself waits for that.
  if (isDeletePrepared(cloudlet) && !options.deleting) throw beingDeleted(CloudletKind, keyString);
  if (cloudlet.state === TrackedState.UPDATE_REQUESTED || cloudlet.state === TrackedState.UPDATING) {
    throw failedPrecondition(`Cloudlet ${keyString} is being upgraded, try again later`);
  }
  if (cloudlet.maintenanceState !== dme.MaintenanceState.NORMAL_OPERATION) {
    const state = enumText(dme.MaintenanceState, cloudlet.maintenanceState);
    throw failedPrecondition(`Cloudlet ${keyString} is under maintenance (${state})`);
  }
  if (cloudlet.state === TrackedState.UPDATE_ERROR) {
    throw failedPrecondition(`Cloudlet ${keyString} is not ready: its last upgrade failed`);
  }
  const info = await tx.get(CloudletInfoKind, keyString);
  if (info?.state !== dme.CloudletState.CLOUDLET_STATE_READY) {
    const state = info === undefined ? "never seen" : enumText(dme.CloudletState, info.state);
    throw failedPrecondition(`Cloudlet ${keyString} is not ready: its state is ${state}`);
  }
  return cloudlet;
}

/** An object with a state that a site reports. */
interface Tracked {
  state: TrackedState;
  errors: string[];
}

/** How the creation or deletion of an object on a site went. */
export type SiteOutcome = { kind: "ready" } | { kind: "gone" } | { kind: "failed"; errors: readonly string[] } | {
  kind: "working";
} | { kind: "silent" };

/** Waits until the site has made the object. */
export async function waitCreated<T extends Tracked, K>(
  operation: Operation,
  kind: ObjectKind<T, K>,
  keyString: string,
  timeoutMs: number,
): Promise<SiteOutcome> {
  let last = TrackedState.CREATE_REQUESTED as TrackedState;
  const outcome = await operation.wait(kind, keyString, (object): SiteOutcome | undefined => {
    if (object === undefined) return { kind: "gone" };
    last = object.state;
    if (object.state === TrackedState.READY) return { kind: "ready" };
    if (object.state === TrackedState.CREATE_ERROR) return { kind: "failed", errors: object.errors };
    return undefined;
  }, timeoutMs);
  return outcome === "timeout" ? { kind: last === TrackedState.CREATING ? "working" : "silent" } : outcome;
}

/** Waits until the site has removed the object. */
export async function waitDeleted<T extends Tracked, K>(
  operation: Operation,
  kind: ObjectKind<T, K>,
  keyString: string,
  timeoutMs: number,
): Promise<SiteOutcome> {
  let last = TrackedState.DELETE_REQUESTED as TrackedState;
  const outcome = await operation.wait(kind, keyString, (object): SiteOutcome | undefined => {
    if (object === undefined) return { kind: "gone" };
    last = object.state;
    return object.state === TrackedState.DELETE_ERROR ? { kind: "failed", errors: object.errors } : undefined;
  }, timeoutMs);
  return outcome === "timeout" ? { kind: last === TrackedState.DELETING ? "working" : "silent" } : outcome;
}
