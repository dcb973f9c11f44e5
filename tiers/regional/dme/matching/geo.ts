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
  const phi = a.latitude * RADIANS_PER_DEGREE;
  return haversine(phi, Math.cos(phi), a.longitude, b.latitude, b.longitude);
}

function haversine(phi: number, cosPhi: number, fromLongitude: number, latitude: number, longitude: number): number {
  const otherPhi = latitude * RADIANS_PER_DEGREE;
  const sinHalfPhi = Math.sin((otherPhi - phi) / 2);
  const sinHalfLambda = Math.sin(((longitude - fromLongitude) * RADIANS_PER_DEGREE) / 2);
  const h = sinHalfPhi * sinHalfPhi + cosPhi * Math.cos(otherPhi) * sinHalfLambda * sinHalfLambda;
  // Rounding may push h a hair above 1 for antipodes, where the root of 1 - h would be NaN.
  return 2 * EARTH_RADIUS_KM * Math.atan2(Math.sqrt(h), Math.sqrt(Math.max(0, 1 - h)));
}

/** A point from which many distances are measured. */
export class Origin {
  #longitude = 0;
  #phi = 0;
  #cosPhi = 0;
  /** Its unit vector. */
  x = 0;
  y = 0;
  z = 0;

  set({ latitude, longitude }: Point): void {
    this.#longitude = longitude;
    this.#phi = latitude * RADIANS_PER_DEGREE;
    this.#cosPhi = Math.cos(this.#phi);
    const lambda = longitude * RADIANS_PER_DEGREE;
    this.x = this.#cosPhi * Math.cos(lambda);
    this.y = this.#cosPhi * Math.sin(lambda);
    this.z = Math.sin(this.#phi);
  }

  /** Great-circle kilometres from there by haversine, the same as {@link distanceKm} gives. */
  distanceKm(latitude: number, longitude: number): number {
    return haversine(this.#phi, this.#cosPhi, this.#longitude, latitude, longitude);
  }
}

/**
 * Unit vector of a point in the precision of a Float32Array: chords to it order like great-circle distances, without
 * trigonometry, and are exact to a metre.
 */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** The place of a point, always the same. */
export function placeOf({ latitude, longitude }: Point): Place {
  const phi = latitude * RADIANS_PER_DEGREE;
  const lambda = longitude * RADIANS_PER_DEGREE;
  const cosPhi = Math.cos(phi);
  return {
    x: Math.fround(cosPhi * Math.cos(lambda)),
    y: Math.fround(cosPhi * Math.sin(lambda)),
    z: Math.fround(Math.sin(phi)),
  };
}

/** Great-circle kilometres that belong to a chord of the unit sphere; half the girth for longer ones. */
export function chordToKm(chord: number): number {
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, chord / 2));
}

/** Chord of the unit sphere that belongs to great-circle kilometres, at least 0; whatever exceeds half the girth is the diameter. */
export function kmToChord(km: number): number {
  return 2 * Math.sin(Math.min(km / EARTH_RADIUS_KM, Math.PI) / 2);
}
