/** A point on the earth, WGS84 degrees. */
export interface Point {
  latitude: number;
  longitude: number;
}

/** Radius of the sphere on which distances are measured, kilometres (DME specification 4.4). */
export const EARTH_RADIUS_KM = 6371;

const RADIANS_PER_DEGREE = Math.PI / 180;

/** Whether a point lies in [-90, 90] × [-180, 180]; NaN and infinities do not. */
export function isValidPoint(point: Point): boolean {
  return Math.abs(point.latitude) <= 90 && Math.abs(point.longitude) <= 180;
}

/** Great-circle distance in kilometres by haversine, altitude ignored. */
export function distanceKm(a: Point, b: Point): number {
  const phiA = a.latitude * RADIANS_PER_DEGREE;
  const phiB = b.latitude * RADIANS_PER_DEGREE;
  const sinHalfPhi = Math.sin((phiB - phiA) / 2);
  const sinHalfLambda = Math.sin(((b.longitude - a.longitude) * RADIANS_PER_DEGREE) / 2);
  const h = sinHalfPhi * sinHalfPhi + Math.cos(phiA) * Math.cos(phiB) * sinHalfLambda * sinHalfLambda;
  // Rounding may push h a hair above 1 for antipodes, where the root of 1 - h would be NaN.
  return 2 * EARTH_RADIUS_KM * Math.atan2(Math.sqrt(h), Math.sqrt(Math.max(0, 1 - h)));
}

/** A unit vector; its chord to another orders like the great-circle distance, without trigonometry. */
export interface Vector {
  x: number;
  y: number;
  z: number;
}

/** Unit vector of a point. */
export function unitVector(point: Point): Vector {
  const phi = point.latitude * RADIANS_PER_DEGREE;
  const lambda = point.longitude * RADIANS_PER_DEGREE;
  const cosPhi = Math.cos(phi);
  return { x: cosPhi * Math.cos(lambda), y: cosPhi * Math.sin(lambda), z: Math.sin(phi) };
}

/** Great-circle kilometres that belong to a squared chord of the unit sphere. */
export function chordToKm(chordSquared: number): number {
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chordSquared) / 2));
}

/** Squared chord of the unit sphere that belongs to great-circle kilometres; whatever exceeds half the girth is the diameter. */
export function kmToChord(km: number): number {
  if (km < 0) return -1;
  const angle = km / EARTH_RADIUS_KM;
  // A little above 4, so that the antipode passes in spite of rounding.
  if (angle >= Math.PI) return 4.0001;
  const chord = 2 * Math.sin(angle / 2);
  return chord * chord;
}
