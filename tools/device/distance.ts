import type { Place } from "./places.ts";

const EARTH_RADIUS_KM = 6371;
const RADIANS_PER_DEGREE = Math.PI / 180;

/** Great-circle distance by haversine, kilometres: the device's own view, so not the code that chose for it. */
export function distanceKm(a: Place, b: Place): number {
  const dPhi = (b.latitude - a.latitude) * RADIANS_PER_DEGREE;
  const dLambda = (b.longitude - a.longitude) * RADIANS_PER_DEGREE;
  const h = Math.sin(dPhi / 2) ** 2 +
    Math.cos(a.latitude * RADIANS_PER_DEGREE) * Math.cos(b.latitude * RADIANS_PER_DEGREE) * Math.sin(dLambda / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}
