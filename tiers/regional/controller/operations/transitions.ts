import { TrackedState } from "../../../../shared/schema/mod.ts";

const S = TrackedState;

/** States that a site's report may lead to (specification 5.1); any other report is ignored. */
const REPORTED: ReadonlyMap<TrackedState, ReadonlySet<TrackedState>> = new Map<TrackedState, ReadonlySet<TrackedState>>(
  [
    [S.CREATE_REQUESTED, new Set([S.CREATING, S.READY, S.CREATE_ERROR])],
    [S.CREATING, new Set([S.READY, S.CREATE_ERROR])],
    [S.UPDATE_REQUESTED, new Set([S.UPDATING, S.READY, S.UPDATE_ERROR])],
    [S.UPDATING, new Set([S.READY, S.UPDATE_ERROR])],
    [S.DELETE_REQUESTED, new Set([S.DELETING, S.NOT_PRESENT, S.DELETE_DONE, S.DELETE_ERROR])],
    [S.DELETING, new Set([S.NOT_PRESENT, S.DELETE_DONE, S.DELETE_ERROR])],
  ],
);

const TRANSIENT = new Set<TrackedState>([
  S.CREATE_REQUESTED,
  S.CREATING,
  S.CREATING_DEPENDENCIES,
  S.UPDATE_REQUESTED,
  S.UPDATING,
  S.DELETE_REQUESTED,
  S.DELETING,
  S.DELETE_PREPARE,
]);

const DELETING = new Set<TrackedState>([S.DELETE_REQUESTED, S.DELETING, S.DELETE_PREPARE, S.DELETE_DONE]);

const ERRORS = new Set<TrackedState>([S.CREATE_ERROR, S.UPDATE_ERROR, S.DELETE_ERROR]);

/** Whether a site may report that an object went from one state to another. */
export function mayReport(from: TrackedState, to: TrackedState): boolean {
  return REPORTED.get(from)?.has(to) ?? false;
}

/** Whether the state is on the way to another one. */
export function isTransient(state: TrackedState): boolean {
  return TRANSIENT.has(state);
}

/** Whether the object is on its way out. */
export function isDeleting(state: TrackedState): boolean {
  return DELETING.has(state);
}

/** Whether the state is that of a failed operation. */
export function isError(state: TrackedState): boolean {
  return ERRORS.has(state);
}

/** Whether the site has said that the object is gone. */
export function isGone(state: TrackedState): boolean {
  return state === S.DELETE_DONE || state === S.NOT_PRESENT;
}
