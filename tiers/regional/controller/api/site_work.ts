import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import {
  type Cloudlet,
  type CloudletInfo,
  CloudletInfoKind,
  type CloudletKey,
  CloudletKind,
  dme,
  enumText,
  type ObjectKind,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { beingDeleted, failedPrecondition } from "../faults.ts";
import type { Operation } from "../operations/operation.ts";
import type { Override } from "../rules/crm_override.ts";
import { readSite, type Site } from "./resources/mod.ts";
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

/** Longest waits that a cloudlet may have for itself, by the wait that they replace. */
const OWN_LIMITS = {
  createClusterInstMs: "createClusterInstTimeout",
  updateClusterInstMs: "updateClusterInstTimeout",
  deleteClusterInstMs: "deleteClusterInstTimeout",
  createAppInstMs: "createAppInstTimeout",
  updateAppInstMs: "updateAppInstTimeout",
  deleteAppInstMs: "deleteAppInstTimeout",
} as const;

const NS_PER_MS = 1e6;

/** Longest wait for a site, in milliseconds: that of the cloudlet itself, else that of the settings (specification 11). */
export function siteTimeout(
  { region, timeouts }: ApiContext,
  cloudlet: CloudletKey,
  name: keyof typeof OWN_LIMITS,
): number {
  const own = region.cache.get(CloudletKind, CloudletKind.keyString(cloudlet))?.timeLimits?.[OWN_LIMITS[name]] ?? 0;
  return own > 0 ? own / NS_PER_MS : timeouts[name];
}

/** Reads a cloudlet; throws unless it is open for work on clusters and instances, or the override does without it. */
export async function openSite(
  tx: ObjectTx,
  key: CloudletKey,
  options: { override: Override; deleting?: boolean },
): Promise<Site> {
  const keyString = CloudletKind.keyString(key);
  const cloudlet = options.override.ignoresSite
    ? await (options.deleting ? tx.require(CloudletKind, keyString) : tx.requireUsable(CloudletKind, keyString))
    : await requireWorkingCloudlet(tx, key, options);
  return await readSite(tx, cloudlet);
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
  const reason = closedBecause(cloudlet, await tx.get(CloudletInfoKind, keyString));
  if (reason !== undefined) throw failedPrecondition(`Cloudlet ${keyString} ${reason}`);
  return cloudlet;
}

/** Why a cloudlet is not open for work now, in words that follow its name; undefined when it is. */
export function closedBecause(cloudlet: Cloudlet, info: CloudletInfo | undefined): string | undefined {
  if (cloudlet.state === TrackedState.UPDATE_REQUESTED || cloudlet.state === TrackedState.UPDATING) {
    return "is being upgraded, try again later";
  }
  if (cloudlet.maintenanceState !== dme.MaintenanceState.NORMAL_OPERATION) {
    return `is under maintenance (${enumText(dme.MaintenanceState, cloudlet.maintenanceState)})`;
  }
  if (cloudlet.state === TrackedState.UPDATE_ERROR) return "is not ready: its last upgrade failed";
  if (info?.state === dme.CloudletState.CLOUDLET_STATE_READY) return undefined;
  return `is not ready: its state is ${info === undefined ? "never seen" : enumText(dme.CloudletState, info.state)}`;
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

/** A state that a site leads to, the one in which it is at work on that, and the one that tells of its failure. */
interface Course {
  readonly requested: TrackedState;
  readonly working: TrackedState;
  readonly done: TrackedState | undefined;
  readonly failed: TrackedState;
}

const { CREATE_REQUESTED, CREATING, CREATE_ERROR, READY } = TrackedState;
const { UPDATE_REQUESTED, UPDATING, UPDATE_ERROR } = TrackedState;
const { DELETE_REQUESTED, DELETING, DELETE_ERROR } = TrackedState;

const CREATION: Course = { requested: CREATE_REQUESTED, working: CREATING, done: READY, failed: CREATE_ERROR };
const UPDATE: Course = { requested: UPDATE_REQUESTED, working: UPDATING, done: READY, failed: UPDATE_ERROR };
const DELETION: Course = { requested: DELETE_REQUESTED, working: DELETING, done: undefined, failed: DELETE_ERROR };

/** Waits until the site has made the object. */
export function waitCreated<T extends Tracked, K>(
  operation: Operation,
  kind: ObjectKind<T, K>,
  keyString: string,
  timeoutMs: number,
): Promise<SiteOutcome> {
  return waitFor(CREATION, operation, kind, keyString, timeoutMs);
}

/** Waits until the site has changed the object. */
export function waitUpdated<T extends Tracked, K>(
  operation: Operation,
  kind: ObjectKind<T, K>,
  keyString: string,
  timeoutMs: number,
): Promise<SiteOutcome> {
  return waitFor(UPDATE, operation, kind, keyString, timeoutMs);
}

/** Waits until the site has removed the object. */
export function waitDeleted<T extends Tracked, K>(
  operation: Operation,
  kind: ObjectKind<T, K>,
  keyString: string,
  timeoutMs: number,
): Promise<SiteOutcome> {
  return waitFor(DELETION, operation, kind, keyString, timeoutMs);
}

async function waitFor<T extends Tracked, K>(
  course: Course,
  operation: Operation,
  kind: ObjectKind<T, K>,
  keyString: string,
  timeoutMs: number,
): Promise<SiteOutcome> {
  let last = course.requested;
  const outcome = await operation.wait(kind, keyString, (object): SiteOutcome | undefined => {
    if (object === undefined) return { kind: "gone" };
    last = object.state;
    if (object.state === course.done) return { kind: "ready" };
    return object.state === course.failed ? { kind: "failed", errors: object.errors } : undefined;
  }, timeoutMs);
  return outcome === "timeout" ? { kind: last === course.working ? "working" : "silent" } : outcome;
}
