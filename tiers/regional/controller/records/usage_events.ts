import type { FieldValue, MetricsStore, Point } from "../../../../shared/metrics/mod.ts";
import {
  type AppInst,
  AppInstKind,
  AppKind,
  type Cloudlet,
  CloudletKind,
  type ClusterInst,
  ClusterInstKind,
  dme,
  enumText,
  FlavorKind,
  IpAccess,
  type Timestamp,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { milliseconds } from "../api/device_api.ts";
import type { ObjectChange, RegionCache } from "../state/region_cache.ts";
import { MetricsDatabase } from "./databases.ts";

/** What happened to an object, for those who bill (specification 8.2). */
export type UsageEvent =
  | "CREATED"
  | "UPDATE_START"
  | "UPDATE_ERROR"
  | "UPDATE_COMPLETE"
  | "DELETED"
  | "DELETE_ERROR"
  | "HEALTH_CHECK_FAIL"
  | "HEALTH_CHECK_OK"
  | "RESERVED"
  | "UNRESERVED";

/** Whether the object can be used after an event. */
export function statusAfter(event: UsageEvent): "UP" | "DOWN" {
  switch (event) {
    case "CREATED":
    case "UPDATE_COMPLETE":
    case "HEALTH_CHECK_OK":
    case "RESERVED":
    // What could not be deleted is as it was.
    case "DELETE_ERROR":
      return "UP";
    case "UPDATE_START":
    case "UPDATE_ERROR":
    case "DELETED":
    case "HEALTH_CHECK_FAIL":
    case "UNRESERVED":
      return "DOWN";
  }
}

interface Tracked {
  readonly state: TrackedState;
  readonly healthCheck?: dme.HealthCheck;
  readonly reservedBy?: string;
}

/** States in which an object has been ready before. */
const ONCE_READY: ReadonlySet<TrackedState> = new Set([
  TrackedState.READY,
  TrackedState.UPDATE_REQUESTED,
  TrackedState.UPDATING,
  TrackedState.UPDATE_ERROR,
  TrackedState.DELETE_PREPARE,
  TrackedState.DELETE_REQUESTED,
  TrackedState.DELETING,
  TrackedState.DELETE_ERROR,
  TrackedState.DELETE_DONE,
]);

const UPDATING: ReadonlySet<TrackedState> = new Set([TrackedState.UPDATE_REQUESTED, TrackedState.UPDATING]);

/** What a change of an object means for those who bill; nothing for most changes. */
export function eventsOf(old: Tracked | undefined, now: Tracked | undefined): UsageEvent[] {
  const before = old?.state ?? TrackedState.NOT_PRESENT;
  if (now === undefined) return ONCE_READY.has(before) ? ["DELETED"] : [];
  const events: UsageEvent[] = [];
  if (now.state !== before) {
    if (now.state === TrackedState.READY) {
      if (!ONCE_READY.has(before)) events.push("CREATED");
      else if (UPDATING.has(before) || before === TrackedState.UPDATE_ERROR) events.push("UPDATE_COMPLETE");
    } else if (UPDATING.has(now.state) && !UPDATING.has(before)) events.push("UPDATE_START");
    else if (now.state === TrackedState.UPDATE_ERROR) events.push("UPDATE_ERROR");
    else if (now.state === TrackedState.DELETE_ERROR) events.push("DELETE_ERROR");
  }
  if (now.state !== TrackedState.READY) return events;
  if (old !== undefined && isWell(old.healthCheck) !== isWell(now.healthCheck)) {
    events.push(isWell(now.healthCheck) ? "HEALTH_CHECK_OK" : "HEALTH_CHECK_FAIL");
  }
  const [was, is] = [old?.reservedBy ?? "", now.reservedBy ?? ""];
  if (was !== is) {
    if (was !== "") events.push("UNRESERVED");
    if (is !== "") events.push("RESERVED");
  }
  return events;
}

function isWell(health: dme.HealthCheck | undefined): boolean {
  return health === undefined || health === dme.HealthCheck.HEALTH_CHECK_OK ||
    health === dme.HealthCheck.HEALTH_CHECK_UNKNOWN;
}

/** Looks up what an event tells beside its object. */
export type Lookup = Pick<RegionCache, "get">;

/** Tags and further fields of an instance's events. */
export function appInstFacts({ key, flavor, realClusterName }: AppInst, cache: Lookup): Facts {
  const { appKey, clusterInstKey: { clusterKey, cloudletKey, organization } } = key;
  const deployment = cache.get(AppKind, AppKind.keyString(appKey))?.deployment ?? "";
  return {
    measurement: "appinst",
    tags: {
      cloudlet: cloudletKey.name,
      cluster: clusterKey.name,
      clusterorg: organization,
      apporg: appKey.organization,
      app: appKey.name,
      ver: appKey.version,
    },
    fields: {
      cloudletorg: cloudletKey.organization,
      deployment,
      ...(deployment === "vm" ? { flavor: flavor.name } : {}),
      ...(realClusterName === "" ? {} : { realcluster: realClusterName }),
    },
  };
}

/** Tags and further fields of a cluster's events. */
export function clusterInstFacts(cluster: ClusterInst, cache: Lookup): Facts {
  const { clusterKey, cloudletKey, organization } = cluster.key;
  const flavor = cache.get(FlavorKind, FlavorKind.keyString(cluster.flavor));
  return {
    measurement: "clusterinst",
    tags: {
      cloudlet: cloudletKey.name,
      cluster: clusterKey.name,
      clusterorg: organization,
      reservedBy: cluster.reservedBy,
      org: cluster.reservedBy || organization,
    },
    fields: {
      cloudletorg: cloudletKey.organization,
      flavor: cluster.flavor.name,
      ram: BigInt(flavor?.ram ?? 0),
      vcpu: BigInt(flavor?.vcpus ?? 0),
      disk: BigInt(flavor?.disk ?? 0),
      nodecount: BigInt(cluster.numMasters + cluster.numNodes),
      ipaccess: enumText(IpAccess, cluster.ipAccess),
    },
  };
}

/** Tags and further fields of a cloudlet's events. */
export function cloudletFacts({ key }: Cloudlet): Facts {
  return { measurement: "cloudlet", tags: { cloudlet: key.name }, fields: { cloudletorg: key.organization } };
}

/** What is the same in all events of an object. */
export interface Facts {
  readonly measurement: string;
  readonly tags: Record<string, string>;
  readonly fields: Record<string, FieldValue>;
}

/**
 * Writes what happens to cloudlets, clusters and instances into the events database. Every controller does so from what it
 * sees of the store, with the times that stand there, so that the same event written by several is one, and none is lost
 * with a controller.
 *
 * @returns what ends that
 */
export function recordUsage(store: MetricsStore, cache: RegionCache, nowMs: () => number): () => void {
  return cache.subscribe(({ objects }) => {
    const points = objects.flatMap((change) => pointsOf(change, cache, nowMs()));
    if (points.length > 0) store.write(MetricsDatabase.events, points);
  });
}

function pointsOf({ kind, object, old }: ObjectChange, cache: RegionCache, nowMs: number): Point[] {
  const subject = (object ?? old) as never;
  const facts = () => {
    if (kind.kind === AppInstKind.kind) return appInstFacts(subject, cache);
    if (kind.kind === ClusterInstKind.kind) return clusterInstFacts(subject, cache);
    return cloudletFacts(subject);
  };
  if (![AppInstKind.kind, ClusterInstKind.kind, CloudletKind.kind].includes(kind.kind)) return [];
  const stamped = (object as { updatedAt?: Timestamp } | undefined)?.updatedAt;
  return eventsOf(old as Tracked | undefined, object as Tracked | undefined).map((event, at) => {
    const { measurement, tags, fields } = facts();
    // Whoever had the cluster is told of its end.
    const owner = event === "UNRESERVED" ? (old as ClusterInst).reservedBy : undefined;
    return {
      measurement,
      tags: owner === undefined ? tags : { ...tags, reservedBy: owner, org: owner },
      fields: { ...fields, event, status: statusAfter(event) },
      timeMs: (stamped === undefined ? nowMs : milliseconds(stamped)) + at / 1000,
    };
  });
}
