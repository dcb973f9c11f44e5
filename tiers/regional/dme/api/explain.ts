import {
  dme,
  enumText,
  type MatchCandidate,
  type MatchQuery,
  MatchVerdict,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import {
  appId,
  CLOUDLET_READY,
  clusterKeyText,
  distanceKm,
  HEALTH_OK,
  HEALTH_UNKNOWN,
  INSTANCE_READY,
  isValidPoint,
  PUBLIC_CLOUD_PAD_KM,
  PUBLIC_CLOUDS,
  TIE_BAND_KM,
  UNDER_MAINTENANCE,
} from "../matching/mod.ts";
import type { Desk, RegionInstance } from "./desk.ts";
import { invalid } from "./errors.ts";

/** Most instances that are told of, and how many unless asked for more. */
const MAX_CANDIDATES = 1000;
const DEFAULT_CANDIDATES = 50;

interface Judged {
  readonly entry: RegionInstance;
  /** Carrier under which it can be used; undefined when it cannot. */
  readonly carrier: string | undefined;
  readonly km: number;
  readonly padKm: number;
  /** Why it cannot be used; "" when it can. */
  readonly fault: string;
}

/**
 * Tells of every instance of an app what becomes of it in the search for a device (DME specification 4.2 to 4.5): those
 * that can be used first, best first, then the others by distance.
 *
 * @throws {RpcError} INVALID_ARGUMENT for an app that does not exist, and for a place out of range.
 */
export function explainMatch(desk: Desk, query: MatchQuery): MatchCandidate[] {
  const { organization, name, version } = query.appKey;
  const app = desk.tables.app(appId(organization, name, version));
  if (app === undefined) {
    throw invalid(`App not found: organization "${organization}", name "${name}", version "${version}"`);
  }
  if (!isValidPoint(query)) throw invalid("latitude must be in -90..90, longitude in -180..180");
  const judged = [...app.instances].map((entry) => judge(desk, query, entry));
  const usable = judged.filter(({ fault }) => fault === "").sort(order);
  const others = judged.filter(({ fault }) => fault !== "").sort(order);
  const nearest = usable[0] === undefined ? 0 : padded(usable[0]);
  const shared = desk.spreadsTies
    ? usable.filter((each) => padded(each) - nearest < TIE_BAND_KM).length
    : Math.min(1, usable.length);
  const limit = Math.min(MAX_CANDIDATES, query.limit === 0 ? DEFAULT_CANDIDATES : query.limit);
  return [...usable, ...others].slice(0, limit).map((each, index) => {
    const [verdict, reason] = each.fault !== ""
      ? [MatchVerdict.EXCLUDED, each.fault]
      : outcome(index, shared, padded(each) - nearest);
    return describe(each, verdict, each.fault === "" ? index + 1 : 0, reason);
  });
}

function outcome(index: number, shared: number, behindKm: number): [MatchVerdict, string] {
  if (index < shared) {
    return shared === 1
      ? [MatchVerdict.WINS, "the nearest"]
      : [MatchVerdict.SHARES, `one of ${shared} within ${TIE_BAND_KM} km of the nearest`];
  }
  return [MatchVerdict.LOSES, behindKm === 0 ? "as near, but later by name" : `${behindKm.toFixed(3)} km behind`];
}

function judge(desk: Desk, query: MatchQuery, entry: RegionInstance): Judged {
  const place = entry.instance.cloudletLoc ?? entry.cloudlet.cloudlet?.location;
  const km = place !== undefined && isValidPoint(place) ? distanceKm(query, place) : Infinity;
  const wanted = query.carrier === "" ? "" : desk.carrierOfCode(query.carrier) ?? query.carrier;
  const own = entry.instance.key.clusterInstKey.cloudletKey.organization;
  const carriers = [own, ...entry.cloudlet.cloudlet?.allianceOrgs ?? []];
  const carrier = wanted === ""
    ? own
    : carriers.includes(wanted)
    ? wanted
    : PUBLIC_CLOUDS.find((cloud) => carriers.includes(cloud));
  const padKm = wanted === "" || carrier === wanted || carrier === undefined ? 0 : PUBLIC_CLOUD_PAD_KM;
  const fault = carrier === undefined ? `not for carrier ${wanted}` : faultOf(entry);
  return { entry, carrier, km, padKm, fault };
}

/** Why an instance may not be offered; "" when it may. */
function faultOf({ instance, cloudlet: { cloudlet, info }, usable }: RegionInstance): string {
  if (usable) return "";
  const { state, healthCheck } = instance;
  if (state !== INSTANCE_READY) return `the instance is ${enumText(TrackedState, state)}`;
  if (healthCheck !== HEALTH_OK && healthCheck !== HEALTH_UNKNOWN) {
    return `its health is ${enumText(dme.HealthCheck, healthCheck)}`;
  }
  if (cloudlet === undefined) return "the cloudlet is not known";
  if (cloudlet.maintenanceState === UNDER_MAINTENANCE) return "the cloudlet is under maintenance";
  if (info === undefined) return "the cloudlet was never heard of";
  if (info.state !== CLOUDLET_READY) return `the cloudlet is ${enumText(dme.CloudletState, info.state)}`;
  return "it has no valid location";
}

function padded({ km, padKm }: Judged): number {
  return km + padKm;
}

function order(a: Judged, b: Judged): number {
  const byDistance = padded(a) - padded(b);
  if (byDistance !== 0 && !Number.isNaN(byDistance)) return byDistance;
  return text(a) < text(b) ? -1 : 1;
}

function text({ entry }: Judged): string {
  return clusterKeyText(entry.instance.key.clusterInstKey);
}

function describe(
  { entry: { instance }, carrier, km, padKm }: Judged,
  verdict: MatchVerdict,
  rank: number,
  reason: string,
): MatchCandidate {
  const { clusterKey, cloudletKey, organization } = instance.key.clusterInstKey;
  return {
    verdict,
    rank,
    cloudletOrg: cloudletKey.organization,
    cloudlet: cloudletKey.name,
    carrier: carrier ?? "",
    // To the metre: people read it.
    distanceKm: km === Infinity ? 0 : Math.round(km * 1000) / 1000,
    padKm,
    reason,
    cluster: clusterKey.name,
    clusterOrg: organization,
    uri: instance.uri,
    // Whoever puts several answers together says whose this is.
    engines: [],
  };
}
