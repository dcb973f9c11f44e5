import type { dme } from "../../../../shared/schema/mod.ts";
import type { Desk } from "./desk.ts";
import { invalid } from "./errors.ts";
import { requireLocation } from "./location_check.ts";

/** VerifyLocation: whether the operator's network finds the device where it says. */
export function verifyLocation(desk: Desk, request: dme.VerifyLocationRequest): Promise<dme.VerifyLocationReply> {
  const { gpsLocation } = request;
  if (gpsLocation !== undefined && gpsLocation.latitude === 0 && gpsLocation.longitude === 0) {
    throw invalid("gps_location is missing");
  }
  requireLocation(gpsLocation);
  return desk.operator.verifyLocation(request);
}

/** GetQosPositionKpi: quality of the operator's network at places. */
export function qosPositionKpi(desk: Desk, request: dme.QosPositionRequest): AsyncIterable<dme.QosPositionKpiReply> {
  const { positions } = request;
  if (positions.length === 0) throw invalid("positions is empty");
  const without = positions.find(({ gpsLocation }) => gpsLocation === undefined);
  if (without !== undefined) throw invalid(`Position ${without.positionid} has no gps_location`);
  return desk.operator.qosPositionKpi(request);
}
