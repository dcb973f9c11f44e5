import { dme } from "../../../../shared/schema/mod.ts";
import type { Session } from "../cookies/mod.ts";
import type { Ranked } from "../matching/mod.ts";
import type { Desk, RegionInstance } from "./desk.ts";
import type { CallNote } from "./records.ts";
import { requireLocation } from "./location_check.ts";
import { addPriority } from "./qos_sessions.ts";
import { isPlatformApp } from "./platform_app.ts";
import { sessionApp } from "./session.ts";

/** FindCloudlet: the nearest usable instance of the session's app (DME specification 4.6). */
export function findCloudlet(
  desk: Desk,
  request: dme.FindCloudletRequest,
  session: Session,
  note: CallNote,
): Promise<dme.FindCloudletReply> {
  const location = requireLocation(request.gpsLocation);
  if (isPlatformApp(session.organization, session.appName)) return Promise.resolve(notFound());
  const { carrierName: carrier, tags } = request;
  return findFor(desk, { session, app: sessionApp(session), carrier, location, note, priorityTags: tags });
}

/** A search of a session. */
export interface Search {
  readonly session: Session;
  /** Table id of the app that is looked for. */
  readonly app: string;
  readonly carrier: string;
  readonly location: dme.Loc;
  readonly note: CallNote;
  /** Tags of a device that may get priority in its operator's network; absent: it is not asked for. */
  readonly priorityTags?: Readonly<Record<string, string>>;
}

/** The reply for any app, seen from a place; what was found is written down. */
export async function findFor(
  desk: Desk,
  { session, app, carrier, location, note, priorityTags }: Search,
): Promise<dme.FindCloudletReply> {
  const match = searchFor(desk, app, carrier, location);
  if (match === undefined) return notFound();
  note.cloudlet = match.member.cloudlet.id;
  note.carrier = match.carrier;
  desk.records.found(session, app, match, location);
  const reply = await foundReply(desk, match.member, location);
  if (priorityTags !== undefined) await addPriority(desk, match.member, priorityTags, reply);
  return reply;
}

/** The instance for a device of a carrier at a place. @param app table id of the app */
export function searchFor(
  desk: Desk,
  app: string,
  carrier: string,
  location: { latitude: number; longitude: number },
): Ranked<RegionInstance> | undefined {
  const { latitude, longitude } = location;
  const candidates = desk.tables.app(app)?.candidates;
  const match = candidates && desk.matcher.find(candidates, { carrier, latitude, longitude });
  desk.records.searched(app, desk.carrierOfCode(carrier) ?? carrier, location, match?.distanceKm);
  return match;
}

/** Tells a device of the instance that was found for it. */
export async function foundReply(
  desk: Desk,
  member: RegionInstance,
  location: dme.Loc,
): Promise<dme.FindCloudletReply> {
  const { instance } = member;
  return {
    ver: 0,
    status: dme.FindCloudletReply_FindStatus.FIND_FOUND,
    fqdn: instance.uri,
    ports: instance.mappedPorts,
    cloudletLocation: instanceLocation(member),
    edgeEventsCookie: await edgeCookie(desk, member, location),
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
