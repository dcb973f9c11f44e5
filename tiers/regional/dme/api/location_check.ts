import type { dme } from "../../../../shared/schema/mod.ts";
import { isValidPoint } from "../matching/mod.ts";
import { invalid } from "./errors.ts";

/** The location of a request. @throws {RpcError} INVALID_ARGUMENT when it is absent, out of range or not a number. */
export function requireLocation(location: dme.Loc | undefined): dme.Loc {
  if (location === undefined) throw invalid("gps_location is missing");
  if (!isValidPoint(location)) {
    const { latitude, longitude } = location;
    throw invalid(
      `gps_location is invalid: latitude ${latitude} must be in -90..90, longitude ${longitude} in -180..180`,
    );
  }
  return location;
}
