// Devices on a day: they live in real cities, move at the pace of people, cars and planes, and use several apps and carriers.
import { seededRandom } from "./random.ts";
import {
  alliesOf,
  type City,
  CLOUDS,
  MAIN_APP,
  OPERATORS,
  ownerOf,
  type Site,
  SMALL_APPS,
  type World,
} from "./world.ts";

/** A device; it moves by {@link move}. */
export interface Device {
  readonly app: string;
  /** What it calls its carrier: an organization, a code, or nothing. */
  readonly carrierName: string;
  /** The organization meant by that; "" for any. */
  readonly carrier: string;
  latitude: number;
  longitude: number;
  /** Degrees it moves between two calls. */
  readonly north: number;
  readonly east: number;
  sessionCookie: string;
}

/** Share of devices of the main app; the others use one of the small ones. */
const MAIN_SHARE = 0.85;
/** Kilometres between two calls: on foot, by car, by plane, and the shares of the first two. */
const STEPS_KM = [0.02, 0.8, 60] as const;
const ON_FOOT = 0.7;
const BY_CAR = 0.28;
const KM_PER_DEGREE = 111.2;
/** Devices are at most so far from the middle of their city, degrees. */
const SUBURBS = 0.3;

/** Devices of a region. @param seed the same gives the same devices */
export function makeDevices({ cities }: World, count: number, seed: number): Device[] {
  const random = seededRandom(seed);
  const home = byPopulation(cities, random);
  return Array.from({ length: count }, () => {
    const city = home();
    const operator = OPERATORS[Math.floor(random() * OPERATORS.length)]!;
    const kind = random();
    const pace = random();
    const step = STEPS_KM[pace < ON_FOOT ? 0 : pace < ON_FOOT + BY_CAR ? 1 : 2] / KM_PER_DEGREE;
    const heading = random() * 2 * Math.PI;
    return {
      app: random() < MAIN_SHARE ? MAIN_APP : SMALL_APPS[Math.floor(random() * SMALL_APPS.length)]!,
      carrierName: kind < 0.6 ? operator.organization : kind < 0.8 ? operator.code : "",
      carrier: kind < 0.8 ? operator.organization : "",
      latitude: Math.max(-89, Math.min(89, city.latitude + (random() - 0.5) * SUBURBS)),
      longitude: Math.max(-179, Math.min(179, city.longitude + (random() - 0.5) * SUBURBS)),
      north: step * Math.cos(heading),
      east: step * Math.sin(heading),
      sessionCookie: "",
    };
  });
}

/** Moves a device on; at the edge of the map it comes back on the other side. */
export function move(device: Device): void {
  const latitude = device.latitude + device.north;
  const longitude = device.longitude + device.east;
  device.latitude = latitude > 89 ? -89 : latitude < -89 ? 89 : latitude;
  device.longitude = longitude > 179 ? -179 : longitude < -179 ? 179 : longitude;
}

/** What a device was told, and where it was. */
export interface Sample {
  readonly app: string;
  readonly carrier: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly uri: string;
}

const PUBLIC_CLOUD_PAD_KM = 100;
const TIE_BAND_KM = 1;
/** Rounding of two ways to compute a distance. */
const TOLERANCE_KM = 1e-6;

/**
 * What is wrong with an answer by a search through all instances, distances by the spherical law of cosines on vectors: a way
 * of its own, which shares no code with the engine. Undefined when the answer is right.
 */
export function faultOf({ apps }: World, sample: Sample): string | undefined {
  const from = vectorOf(sample);
  let best = Infinity;
  let given = Infinity;
  for (const site of apps.get(sample.app)!) {
    const padKm = padOf(site, sample.carrier);
    if (padKm === undefined) continue;
    const km = kilometres(from, vectorOf(site)) + padKm;
    if (km < best) best = km;
    if (site.uri === sample.uri) given = km;
  }
  if (given - best < TIE_BAND_KM + TOLERANCE_KM) return undefined;
  return `${sample.uri} is ${given} km from ${sample.latitude},${sample.longitude} for "${sample.carrier}", ${best} were possible`;
}

/** Kilometres that are added for a carrier's subscriber; undefined when the instance is not for him. */
function padOf({ cloudlet }: Site, carrier: string): number | undefined {
  const owner = ownerOf(cloudlet);
  if (carrier === "" || owner === carrier || alliesOf(cloudlet).includes(carrier)) return 0;
  return CLOUDS.includes(owner) ? PUBLIC_CLOUD_PAD_KM : undefined;
}

type Vector = readonly [number, number, number];

function vectorOf({ latitude, longitude }: { latitude: number; longitude: number }): Vector {
  const [phi, lambda] = [latitude * Math.PI / 180, longitude * Math.PI / 180];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

function kilometres(a: Vector, b: Vector): number {
  const cross = Math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
  return 6371 * Math.atan2(cross, a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
}

/** Draws cities, large ones more often. */
function byPopulation(cities: readonly City[], random: () => number): () => City {
  const sums = new Float64Array(cities.length);
  let total = 0;
  cities.forEach(({ population }, at) => sums[at] = total += population);
  return () => {
    const wanted = random() * total;
    let [low, high] = [0, cities.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle]! <= wanted) low = middle + 1;
      else high = middle;
    }
    return cities[low]!;
  };
}
