import { dme } from "../../../../shared/schema/mod.ts";
import type { ProvenSession } from "../cookies/mod.ts";
import type { Desk } from "./desk.ts";
import { foundReply } from "./find_cloudlet.ts";
import { requireLocation } from "./location_check.ts";

/** Instances that a list holds when the request names no limit. */
const DEFAULT_LIMIT = 3;

/** GetAppInstList: the nearest usable instances, grouped by cloudlet in order of their best (DME specification 4.7). */
export async function getAppInstList(
  desk: Desk,
  request: dme.AppInstListRequest,
  session: ProvenSession,
): Promise<dme.AppInstListReply> {
  const location = requireLocation(request.gpsLocation);
  const { latitude, longitude } = location;
  const query = { carrier: request.carrierName, latitude, longitude };
  const candidates = desk.tables.app(session.app)?.candidates;
  const matches = candidates === undefined
    ? []
    : desk.matcher.list(candidates, query, request.limit === 0 ? DEFAULT_LIMIT : request.limit);
  const carrier = desk.carrierOfCode(request.carrierName) ?? request.carrierName;
  desk.records.searched(session.app, carrier, location, matches[0]?.distanceKm);
  const cloudlets = new Map<string, dme.CloudletLocation>();
  for (const { member, distanceKm } of matches) {
    const { key, uri, mappedPorts } = member.instance;
    const { organization, name } = key.clusterInstKey.cloudletKey;
    const found = await foundReply(desk, member, location);
    let place = cloudlets.get(member.cloudlet.id);
    if (place === undefined) {
      const gpsLocation = found.cloudletLocation;
      place = { carrierName: organization, cloudletName: name, gpsLocation, distance: distanceKm, appinstances: [] };
      cloudlets.set(member.cloudlet.id, place);
    }
    place.appinstances.push({
      appName: key.appKey.name,
      appVers: key.appKey.version,
      fqdn: uri,
      ports: mappedPorts,
      orgName: key.appKey.organization,
      edgeEventsCookie: found.edgeEventsCookie,
    });
  }
  return { ver: 0, status: dme.AppInstListReply_AIStatus.AI_SUCCESS, cloudlets: [...cloudlets.values()], tags: {} };
}
