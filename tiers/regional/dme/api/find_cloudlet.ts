import { dme } from "../../../../shared/schema/mod.ts";
import { printLocation, type ProvenSession } from "../cookies/mod.ts";
import type { Ranked } from "../matching/mod.ts";
import type { Desk, RegionInstance } from "./desk.ts";
import type { CallNote } from "./records.ts";
import { requireLocation } from "./location_check.ts";
import { wantsPriority, withPriority } from "./qos_sessions.ts";
import { isPlatformApp } from "./platform_app.ts";
import { FoundReply, type Prepared } from "./prepared.ts";

/** FindCloudlet: the nearest usable instance of the session's app (DME specification 4.6). */
export function findCloudlet(
  desk: Desk,
  request: dme.FindCloudletRequest,
  session: ProvenSession,
  note: CallNote,
): dme.FindCloudletReply | Promise<dme.FindCloudletReply> {
  const location = requireLocation(request.gpsLocation);
  if (isPlatformApp(session.organization, session.appName)) return notFound();
  const { carrierName: carrier, tags } = request;
  return findFor(desk, { session, app: session.app, carrier, location, note, priorityTags: tags });
}

/** A search of a session. */
export interface Search {
  readonly session: ProvenSession;
  /** Table id of the app that is looked for. */
  readonly app: string;
  readonly carrier: string;
  readonly location: dme.Loc;
  readonly note: CallNote;
  /** Tags of a device that may get priority in its operator's network; absent: it is not asked for. */
  readonly priorityTags?: Readonly<Record<string, string>>;
}

/** The reply for any app, seen from a place; what was found is written down. */
export function findFor(
  desk: Desk,
  { session, app, carrier, location, note, priorityTags }: Search,
): dme.FindCloudletReply | Promise<dme.FindCloudletReply> {
  const match = searchFor(desk, app, carrier, location);
  if (match === undefined) return notFound();
  const { member } = match;
  note.cloudlet = member.cloudlet.id;
  note.carrier = match.carrier;
  desk.records.found(session, app, match, location);
  const reply = foundReply(desk, member, location);
  if (priorityTags === undefined || !wantsPriority(desk, member)) return reply;
  return withPriority(desk, member, priorityTags, reply);
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
export function foundReply(
  desk: Desk,
  member: RegionInstance,
  location: dme.Loc,
): FoundReply | Promise<FoundReply> {
  const { instance } = member;
  const prepared = desk.prepared.of(member);
  const cookie = edgeCookie(desk, prepared, location);
  if (!(cookie instanceof Promise)) return new FoundReply(instance, prepared, cookie);
  return cookie.then((cookie) => new FoundReply(instance, prepared, cookie));
}

/** The cookie with which a device opens the event stream for an instance, from the place where it asked; lent octets. */
function edgeCookie(desk: Desk, { claims }: Prepared, location: dme.Loc): Uint8Array | Promise<Uint8Array> {
  return desk.edgeEvents.issuePrepared(claims, printLocation(location));
}

function notFound(): dme.FindCloudletReply {
  return dme.FindCloudletReply.create({
    status: dme.FindCloudletReply_FindStatus.FIND_NOTFOUND,
    cloudletLocation: {},
  });
}
