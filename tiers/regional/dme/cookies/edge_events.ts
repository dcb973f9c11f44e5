import { CookieJar } from "./cookie_jar.ts";
import { TokenError } from "./jwt.ts";
import type { CookieKeys } from "./keys.ts";
import { textMember } from "./session.ts";
import { type PreparedMembers, prepareMembers } from "./token_writer.ts";

/** A place as the cookie carries it: the members of the wire's Loc. */
export interface CookieLocation {
  latitude: number;
  longitude: number;
  horizontalAccuracy?: number;
  verticalAccuracy?: number;
  altitude?: number;
  course?: number;
  speed?: number;
  timestamp?: { seconds: number; nanos: number };
}

/** An instance by the names in its key. */
export interface EdgeInstance {
  clusterOrganization: string;
  clusterName: string;
  cloudletOrganization: string;
  cloudletName: string;
}

/** The instance that a device was given, and where the device was then. */
export interface EdgeEvents extends EdgeInstance {
  location: CookieLocation;
}

const NUMBERS = [
  ["latitude", "latitude"],
  ["longitude", "longitude"],
  ["horizontal_accuracy", "horizontalAccuracy"],
  ["vertical_accuracy", "verticalAccuracy"],
  ["altitude", "altitude"],
  ["course", "course"],
  ["speed", "speed"],
] as const;

const text = (value: string) => value === "" ? undefined : value;
const isUnset = (value: number | undefined) => value === undefined || value === 0;
const nonZero = (value: number | undefined) => value === 0 ? undefined : value;

/** The jar of edge-events cookies (DME specification 3.3). */
export function edgeEventsCookies(
  options: { keys: CookieKeys; now: () => number; lifetimeMs: number },
): CookieJar<EdgeEvents> {
  return new CookieJar<EdgeEvents>({
    ...options,
    write: (key) => printInstance(key) + printLocation(key.location),
    read: (key) => {
      const edge = {
        clusterOrganization: textMember(key, "clusterorg"),
        clusterName: textMember(key, "clustername"),
        cloudletOrganization: textMember(key, "cloudletorg"),
        cloudletName: textMember(key, "cloudletname"),
        location: readLocation(key.location),
      };
      if (!edge.clusterOrganization && !edge.clusterName && !edge.cloudletOrganization && !edge.cloudletName) {
        throw new TokenError("names no instance");
      }
      return edge;
    },
  });
}

/** The members of the claim that name an instance, up to the place: the same in all its cookies. */
export function prepareInstance(instance: EdgeInstance): PreparedMembers {
  return prepareMembers(printInstance(instance));
}

function printInstance(instance: EdgeInstance): string {
  const members = JSON.stringify({
    clusterorg: text(instance.clusterOrganization),
    clustername: text(instance.clusterName),
    cloudletorg: text(instance.cloudletOrganization),
    cloudletname: text(instance.cloudletName),
  }).slice(1, -1);
  return `${members}${members === "" ? "" : ","}"location":`;
}

/** The place, which follows what {@linkcode prepareInstance} gives. */
export function printLocation(location: CookieLocation): string {
  const { latitude, longitude, horizontalAccuracy, verticalAccuracy, altitude, course, speed, timestamp } = location;
  // Most devices tell no more than this.
  if (
    latitude !== 0 && longitude !== 0 && Number.isFinite(latitude + longitude) && isUnset(horizontalAccuracy) &&
    isUnset(verticalAccuracy) && isUnset(altitude) && isUnset(course) && isUnset(speed) && timestamp === undefined
  ) return `{"latitude":${latitude},"longitude":${longitude}}`;
  // Members that are undefined are not printed.
  return JSON.stringify({
    latitude: nonZero(latitude),
    longitude: nonZero(longitude),
    horizontal_accuracy: nonZero(horizontalAccuracy),
    vertical_accuracy: nonZero(verticalAccuracy),
    altitude: nonZero(altitude),
    course: nonZero(course),
    speed: nonZero(speed),
    timestamp: timestamp && { seconds: nonZero(timestamp.seconds), nanos: nonZero(timestamp.nanos) },
  });
}

function readLocation(value: unknown): CookieLocation {
  if (typeof value !== "object" || value === null) throw new TokenError("has no location");
  const members = value as Record<string, unknown>;
  const location: CookieLocation = { latitude: 0, longitude: 0 };
  for (const [name, property] of NUMBERS) {
    const number = members[name] ?? 0;
    if (typeof number !== "number") throw new TokenError(`has a location whose ${name} is not a number`);
    if (number !== 0) location[property] = number;
  }
  if (Math.abs(location.latitude) > 90 || Math.abs(location.longitude) > 180) {
    throw new TokenError("has a location out of range");
  }
  return location;
}
