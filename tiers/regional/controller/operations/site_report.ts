import {
  type AppInst,
  type AppInstInfo,
  type Cloudlet,
  type CloudletInfo,
  type ClusterInst,
  type ClusterInstInfo,
  dme,
  equal,
  InfraResources,
  PowerState,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { MAX_OBJECT_ERROR_CHARACTERS, MAX_OBJECT_ERRORS } from "../limits.ts";
import { isTarget, portKey } from "../rules/dns_targets.ts";
import { isError, isGone, mayReport } from "./transitions.ts";

/** Longest name under which clients reach an instance, in characters. */
const MAX_URI_CHARACTERS = 253;

/** What a site's report does to the object that it is about: changed in place, to be removed, or nothing. */
export type ReportEffect = "changed" | "remove" | "nothing";

/** Applies a site's report of a cluster (specification 5.1). */
export function applyClusterInstInfo(cluster: ClusterInst, info: ClusterInstInfo): ReportEffect {
  const effect = applyState(cluster, info);
  if (effect === "remove" || cluster.state !== info.state) return effect;
  const { resources, address } = info;
  let changed = effect === "changed";
  // A site that does not know the address just now says nothing of it.
  if (address !== cluster.address && isTarget(address)) {
    cluster.address = address;
    changed = true;
  }
  if (resources && (cluster.resources === undefined || !equal(InfraResources, resources, cluster.resources))) {
    cluster.resources = structuredClone(resources);
    changed = true;
  }
  return changed ? "changed" : "nothing";
}

/** Applies a site's report of an instance: its state where that is allowed, and whether it answers. */
export function applyAppInstInfo(instance: AppInst, info: AppInstInfo): ReportEffect {
  const before = instance.state;
  const effect = applyState(instance, info);
  if (effect === "remove" || instance.state !== info.state) return effect;
  let changed = effect === "changed";
  if (info.powerState !== PowerState.POWER_STATE_UNKNOWN && info.powerState !== instance.powerState) {
    instance.powerState = info.powerState;
    changed = true;
  }
  // Only a site that knows addresses of its own, as those of other operators, tells one.
  if (info.uri !== "" && info.uri !== instance.uri) {
    instance.uri = info.uri.slice(0, MAX_URI_CHARACTERS);
    changed = true;
  }
  if (info.address !== instance.address && isTarget(info.address)) {
    instance.address = info.address;
    changed = true;
  }
  const addresses = addressesOf(instance, info);
  if (Object.keys(addresses).length > 0 && !sameRecord(addresses, instance.internalPortToLbIp)) {
    instance.internalPortToLbIp = addresses;
    changed = true;
  }
  if (info.runtimeInfo && !sameList(instance.runtimeInfo?.containerIds ?? [], info.runtimeInfo.containerIds)) {
    instance.runtimeInfo = structuredClone(info.runtimeInfo);
    changed = true;
  }
  if (instance.state === TrackedState.READY) {
    const reported = info.healthCheck;
    const unknown = dme.HealthCheck.HEALTH_CHECK_UNKNOWN;
    // A site that does not probe says nothing of health; then being ready is all there is to know.
    const health = reported !== unknown
      ? reported
      : before !== TrackedState.READY || instance.healthCheck === dme.HealthCheck.HEALTH_CHECK_CLOUDLET_OFFLINE
      ? dme.HealthCheck.HEALTH_CHECK_OK
      : instance.healthCheck;
    if (health !== instance.healthCheck) {
      instance.healthCheck = health;
      changed = true;
    }
  }
  return changed ? "changed" : "nothing";
}

function applyState(
  object: { state: TrackedState; errors: string[] },
  info: { state: TrackedState; errors: readonly string[] },
): ReportEffect {
  if (object.state !== info.state) {
    if (!mayReport(object.state, info.state)) return "nothing";
    if (isGone(info.state)) return "remove";
    object.state = info.state;
    object.errors = isError(info.state) ? boundedErrors(info.errors) : [];
    return "changed";
  }
  const errors = isError(info.state) ? boundedErrors(info.errors) : [];
  if (sameList(object.errors, errors) || errors.length === 0) return "nothing";
  object.errors = errors;
  return "changed";
}

/**
 * Applies a site's report of itself to its cloudlet (specification 5.5).
 *
 * @returns whether the cloudlet changed
 */
export function applyCloudletInfo(cloudlet: Cloudlet, info: CloudletInfo): boolean {
  const state = cloudletState(cloudlet.state, info.state);
  const errors = state === TrackedState.CREATE_ERROR || state === TrackedState.UPDATE_ERROR
    ? boundedErrors(info.errors)
    : [];
  const version = info.containerVersion === "" ? cloudlet.containerVersion : info.containerVersion;
  const trust = mayReportTrust(cloudlet.trustPolicyState, info.trustPolicyState)
    ? info.trustPolicyState
    : cloudlet.trustPolicyState;
  const isSame = state === cloudlet.state && sameList(errors, cloudlet.errors) &&
    version === cloudlet.containerVersion && trust === cloudlet.trustPolicyState;
  if (isSame) return false;
  cloudlet.trustPolicyState = trust;
  cloudlet.state = state;
  cloudlet.errors = errors;
  cloudlet.containerVersion = version;
  return true;
}

/** Whether a site may report that its trust policy went from one state to another (specification 5.5). */
function mayReportTrust(from: TrackedState, to: TrackedState): boolean {
  const { UPDATE_REQUESTED, UPDATING, READY, NOT_PRESENT, UPDATE_ERROR } = TrackedState;
  if (to === UPDATING) return from === UPDATE_REQUESTED;
  const asked = from === UPDATE_REQUESTED || from === UPDATING || from === UPDATE_ERROR;
  return asked && (to === READY || to === NOT_PRESENT || (to === UPDATE_ERROR && from !== UPDATE_ERROR));
}

function cloudletState(current: TrackedState, reported: dme.CloudletState): TrackedState {
  const updating = current === TrackedState.UPDATE_REQUESTED || current === TrackedState.UPDATING ||
    current === TrackedState.UPDATE_ERROR;
  switch (reported) {
    case dme.CloudletState.CLOUDLET_STATE_INIT:
    case dme.CloudletState.CLOUDLET_STATE_NEED_SYNC:
      return TrackedState.CRM_INITOK;
    case dme.CloudletState.CLOUDLET_STATE_READY:
      return TrackedState.READY;
    case dme.CloudletState.CLOUDLET_STATE_ERRORS:
      return updating ? TrackedState.UPDATE_ERROR : TrackedState.CREATE_ERROR;
    case dme.CloudletState.CLOUDLET_STATE_UPGRADE:
      return updating ? TrackedState.UPDATING : current;
    default:
      return current;
  }
}

/** A site's report of itself as it is stored: without the progress, which concerns only those who wait. */
export function storedCloudletInfo(info: CloudletInfo, controller: string, notifyId: number): CloudletInfo {
  return {
    ...structuredClone(info),
    fields: [],
    status: undefined,
    errors: boundedErrors(info.errors),
    controller,
    notifyId,
  };
}

/** Errors as an object keeps them: a site may not fill the store. */
export function boundedErrors(errors: readonly string[]): string[] {
  return errors.slice(0, MAX_OBJECT_ERRORS).map((error) => error.slice(0, MAX_OBJECT_ERROR_CHARACTERS));
}

/** Addresses of the ports that the instance has: a site may not fill the store. */
function addressesOf({ mappedPorts }: AppInst, { internalPortToLbIp }: AppInstInfo): Record<string, string> {
  const ports = new Set(mappedPorts.map(portKey));
  return Object.fromEntries(
    Object.entries(internalPortToLbIp).filter(([port, address]) => ports.has(port) && isTarget(address)),
  );
}

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
