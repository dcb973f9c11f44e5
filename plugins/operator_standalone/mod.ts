/**
 * The operator that stands in where no real one is connected (DME specification 4.10): every device is at one known place,
 * and the network has about the same quality everywhere.
 *
 * @module
 */
import type { Operator, OperatorContext, OperatorPlugin } from "../../shared/operator/mod.ts";
import { dme } from "../../shared/schema/mod.ts";

/** Where every device is. */
const TRUE_POSITION = { latitude: 32.013988, longitude: -96.598243 };

/** Accuracies that a verification can state, kilometres. */
const ACCURACIES_KM = [2, 10, 100];

/** Least, mean and greatest value everywhere; spread by {@linkcode SPREAD} to either side. */
const BASES = { dluserthroughput: [1, 50, 100], uluserthroughput: [1, 25, 50], latency: [20, 40, 60] } as const;
const SPREAD = 10;

const EARTH_RADIUS_KM = 6371;

/** Opens the stand-in. @param truth where devices are, for tests */
export function openStandalone(
  { randomBytes }: Pick<OperatorContext, "randomBytes">,
  truth: { latitude: number; longitude: number } = TRUE_POSITION,
): Operator {
  return {
    properties: {},
    verifyLocation({ gpsLocation }) {
      const km = distanceKm(gpsLocation!, truth);
      const accuracy = ACCURACIES_KM.find((limit) => km < limit);
      const { LOC_VERIFIED, LOC_MISMATCH_SAME_COUNTRY } = dme.VerifyLocationReply_GPSLocationStatus;
      return Promise.resolve(dme.VerifyLocationReply.create({
        gpsLocationStatus: accuracy === undefined ? LOC_MISMATCH_SAME_COUNTRY : LOC_VERIFIED,
        gpsLocationAccuracyKm: accuracy ?? -1,
      }));
    },
    getLocation: ({ carrierName }) =>
      Promise.resolve(dme.GetLocationReply.create({
        status: dme.GetLocationReply_LocStatus.LOC_FOUND,
        carrierName,
        networkLocation: truth,
      })),
    async *qosPositionKpi({ positions }) {
      yield await Promise.resolve(dme.QosPositionKpiReply.create({
        status: dme.ReplyStatus.RS_SUCCESS,
        positionResults: positions.map(({ positionid, gpsLocation }) => ({
          positionid,
          gpsLocation,
          ...measures(randomBytes),
        })),
      }));
    },
    close: () => Promise.resolve(),
  };
}

const plugin: OperatorPlugin = {
  meta: { name: "standalone", description: "stands in for an operator: one place, even quality", settings: [] },
  open: (context) => Promise.resolve(openStandalone(context)),
};
export default plugin;

type Point = Pick<dme.Loc, "latitude" | "longitude">;

/** Great-circle distance by haversine. */
function distanceKm(a: Point, b: Point): number {
  const radians = (degrees: number) => degrees * Math.PI / 180;
  const [dLat, dLon] = [radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)];
  const h = Math.sin(dLat / 2) ** 2 +
    Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.atan2(Math.sqrt(h), Math.sqrt(1 - h));
}

function measures(randomBytes: OperatorContext["randomBytes"]): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [name, bases] of Object.entries(BASES)) {
    // In order, so that no least value is above the mean, and none is negative.
    const [min, avg, max] = bases.map((base) => Math.max(0, base + spread(randomBytes))).sort((a, b) => a - b);
    Object.assign(values, { [`${name}Min`]: min, [`${name}Avg`]: avg, [`${name}Max`]: max });
  }
  return values;
}

function spread(randomBytes: OperatorContext["randomBytes"]): number {
  const [high = 0, low = 0] = randomBytes(2);
  return ((high * 256 + low) / 65535 * 2 - 1) * SPREAD;
}
