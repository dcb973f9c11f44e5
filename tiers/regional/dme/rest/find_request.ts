import { dme } from "../../../../shared/schema/mod.ts";

const MAX_UINT32 = 0xffffffff;

/**
 * Reads the request that devices send most of the time, member by member and so in a fraction of the time that reading by
 * the message's description takes. Undefined for whatever is not exactly as known clients write it, right or wrong: that is
 * for the description to tell.
 */
export function readFindRequest(json: unknown): dme.FindCloudletRequest | undefined {
  if (!isObject(json)) return undefined;
  const request = dme.FindCloudletRequest.create();
  for (const key in json) {
    const value = json[key];
    switch (key) {
      case "ver":
        if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX_UINT32) return undefined;
        request.ver = value + 0;
        break;
      case "session_cookie":
        if (typeof value !== "string") return undefined;
        request.sessionCookie = value;
        break;
      case "carrier_name":
        if (typeof value !== "string") return undefined;
        request.carrierName = value;
        break;
      case "gps_location":
        request.gpsLocation = readPlace(value);
        if (request.gpsLocation === undefined) return undefined;
        break;
      case "tags":
        if (!isEmpty(value)) return undefined;
        break;
      default:
        return undefined;
    }
  }
  return request;
}

function readPlace(json: unknown): dme.Loc | undefined {
  if (!isObject(json)) return undefined;
  const place = dme.Loc.create();
  for (const key in json) {
    const value = json[key];
    if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
    switch (key) {
      case "latitude":
        place.latitude = value;
        break;
      case "longitude":
        place.longitude = value;
        break;
      case "altitude":
        place.altitude = value;
        break;
      case "course":
        place.course = value;
        break;
      case "speed":
        place.speed = value;
        break;
      case "horizontal_accuracy":
        place.horizontalAccuracy = value;
        break;
      case "vertical_accuracy":
        place.verticalAccuracy = value;
        break;
      default:
        return undefined;
    }
  }
  return place;
}

/** Parsed JSON inherits no members. */
function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isEmpty(json: unknown): boolean {
  if (!isObject(json)) return false;
  for (const _ in json) return false;
  return true;
}
