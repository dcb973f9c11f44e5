import { dme } from "../../../../shared/schema/mod.ts";
import type { Session } from "../cookies/mod.ts";
import type { Desk, RegionInstance } from "./desk.ts";
import { requireLocation } from "./location_check.ts";
import { isPlatformApp } from "./platform_app.ts";
import { sessionApp } from "./session.ts";

/** FindCloudlet: the nearest usable instance of the session's app (DME specification 4.6). */
export function findCloudlet(
  desk: Desk,
  request: dme.FindCloudletRequest,
  session: Session,
): Promise<dme.FindCloudletReply> {
  const location = requireLocation(request.gpsLocation);
  if (isPlatformApp(session.organization, session.appName)) return Promise.resolve(notFound());
  return findFor(desk, sessionApp(session), request.carrierName, location);
}

/** The reply for any app, seen from a place. @param app table id of the app */
export async function findFor(
  desk: Desk,
  app: string,
  carrier: string,
  location: dme.Loc,
): Promise<dme.FindCloudletReply> {
  const { latitude, longitude } = location;
  const candidates = desk.tables.app(app)?.candidates;
  const match = candidates && desk.matcher.find(candidates, { carrier, latitude, longitude });
  if (match === undefined) return notFound();
  const { instance } = match.member;
  return {
    ver: 0,
    status: dme.FindCloudletReply_FindStatus.FIND_FOUND,
    fqdn: instance.uri,
    ports: instance.mappedPorts,
    cloudletLocation: instanceLocation(match.member),
    edgeEventsCookie: await edgeCookie(desk, match.member, location),
    qosResult: dme.FindCloudletReply_QosSessionResult.QOS_NOT_ATTEMPTED,
    qosErrorMsg: "",
    tags: {},
  };
}

/** The cookie with which a device opens the event stream for an instance, from the place where it asked. */
export function edgeCookie(desk: Desk, entry: RegionInstance, location: dme.Loc): Promise<string> {
  const { clusterKey, cloudletKey, organization } = entry.instance.key.clusterInstKey;
  return desk.edgeEvents.issue({
    clusterOrganization: organization,
    clusterName: clusterKey.name,
    cloudletOrganization: cloudletKey.organization,
    cloudletName: cloudletKey.name,
    location,
  });
}

/** Where an instance is, for a reply. */
export function instanceLocation(entry: RegionInstance): dme.Loc {
  return entry.instance.cloudletLoc ?? dme.Loc.create(entry.location);
}

function notFound(): dme.FindCloudletReply {
  return dme.FindCloudletReply.create({
    status: dme.FindCloudletReply_FindStatus.FIND_NOTFOUND,
    cloudletLocation: {},
  });
}
