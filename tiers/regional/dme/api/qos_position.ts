import { dme } from "../../../../shared/schema/mod.ts";
import type { Desk } from "./desk.ts";
import { invalid } from "./errors.ts";

/** What the default operator says of every position: least, mean and greatest value (DME specification 4.10). */
const BASES = { dluserthroughput: [1, 50, 100], uluserthroughput: [1, 25, 50], latency: [20, 40, 60] } as const;

/** Its values are spread by so much to either side. */
const SPREAD = 10;

/** GetQosPositionKpi by the default operator: one reply with a result for each position. */
export function* qosPositionKpi(
  desk: Desk,
  request: dme.QosPositionRequest,
): Generator<dme.QosPositionKpiReply> {
  const { positions } = request;
  if (positions.length === 0) throw invalid("positions is empty");
  const without = positions.find(({ gpsLocation }) => gpsLocation === undefined);
  if (without !== undefined) throw invalid(`Position ${without.positionid} has no gps_location`);
  yield dme.QosPositionKpiReply.create({
    status: dme.ReplyStatus.RS_SUCCESS,
    positionResults: positions.map(({ positionid, gpsLocation }) => ({ positionid, gpsLocation, ...measures(desk) })),
  });
}

function measures(desk: Desk): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [name, bases] of Object.entries(BASES)) {
    // In order, so that no least value is above the mean, and none is negative.
    const [min, avg, max] = bases.map((base) => Math.max(0, base + spread(desk))).sort((a, b) => a - b);
    Object.assign(values, { [`${name}Min`]: min, [`${name}Avg`]: avg, [`${name}Max`]: max });
  }
  return values;
}

function spread(desk: Desk): number {
  const [high = 0, low = 0] = desk.randomBytes(2);
  return ((high * 256 + low) / 65535 * 2 - 1) * SPREAD;
}
