import { dme } from "../../../../shared/schema/mod.ts";
import { distanceKm } from "../matching/mod.ts";
import { invalid } from "./errors.ts";
import { requireLocation } from "./location_check.ts";

/** Where every device is, for the operator that stands in where no real one is connected (DME specification 4.10). */
const TRUE_POSITION = { latitude: 32.013988, longitude: -96.598243 };

/** Accuracies that a verification can state, kilometres. */
const ACCURACIES_KM = [2, 10, 100];

/** VerifyLocation by the default operator: how near the claimed place is to the true one. */
export function verifyLocation(
  request: dme.VerifyLocationRequest,
  truth: { latitude: number; longitude: number } = TRUE_POSITION,
): dme.VerifyLocationReply {
  const { gpsLocation } = request;
  if (gpsLocation !== undefined && gpsLocation.latitude === 0 && gpsLocation.longitude === 0) {
    throw invalid("gps_location is missing");
  }
  const km = distanceKm(requireLocation(gpsLocation), truth);
  const accuracy = ACCURACIES_KM.find((limit) => km < limit);
  const { LOC_VERIFIED, LOC_MISMATCH_SAME_COUNTRY } = dme.VerifyLocationReply_GPSLocationStatus;
  return dme.VerifyLocationReply.create({
    gpsLocationStatus: accuracy === undefined ? LOC_MISMATCH_SAME_COUNTRY : LOC_VERIFIED,
    gpsLocationAccuracyKm: accuracy ?? -1,
  });
}

/** GetLocation by the default operator. */
export function getLocation(request: dme.GetLocationRequest): dme.GetLocationReply {
  return dme.GetLocationReply.create({
    status: dme.GetLocationReply_LocStatus.LOC_FOUND,
    carrierName: request.carrierName,
    networkLocation: TRUE_POSITION,
  });
}
