import { isValidPoint, type Point } from "../matching/mod.ts";

/** Kilometres of a degree, taken as those of the equator everywhere (DME specification 6.4). */
const LATITUDE_KM = 110.57;
const LONGITUDE_KM = 111.32;

/**
 * Name of the tile that a place lies in: `<lonUnder>,<latUnder>_<lonOver>,<latOver>_<side>`, in degrees with six
 * decimals, where "under" is the edge nearer to (0, 0).
 *
 * @param sideKm whole kilometres above 0
 * @returns "" for a place out of range
 */
export function locationTile(place: Point, sideKm: number): string {
  if (!isValidPoint(place)) return "";
  const [latUnder, latOver] = edges(place.latitude, LATITUDE_KM, sideKm);
  const [lonUnder, lonOver] = edges(place.longitude, LONGITUDE_KM, sideKm);
  return `${lonUnder},${latUnder}_${lonOver},${latOver}_${sideKm}`;
}

function edges(degrees: number, kmPerDegree: number, sideKm: number): [string, string] {
  // A zero edge of the negative side is written -0.000000.
  const sign = degrees >= 0 ? "" : "-";
  const index = Math.floor(Math.abs(degrees) * kmPerDegree / sideKm);
  const edge = (at: number) => `${sign}${(at * sideKm / kmPerDegree).toFixed(6)}`;
  return [edge(index), edge(index + 1)];
}
