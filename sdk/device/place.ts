import { type JsonObject, numberOf, timeOf } from "./json.ts";

/** A place on earth (WGS84). */
export interface Place {
  /** Degrees, −90 to 90. */
  readonly latitude: number;
  /** Degrees, −180 to 180. */
  readonly longitude: number;
  /** Metres. */
  readonly horizontalAccuracy?: number;
  /** Metres. */
  readonly verticalAccuracy?: number;
  /** Metres. */
  readonly altitude?: number;
  /** Degrees from true north. */
  readonly course?: number;
  /** Metres per second. */
  readonly speed?: number;
  /** When the device was there, ms since the Unix epoch. */
  readonly timeMs?: number;
}

/** What a browser's `navigator.geolocation` tells. */
export interface GeolocationReading {
  readonly coords: {
    readonly latitude: number;
    readonly longitude: number;
    readonly accuracy: number;
    readonly altitude: number | null;
    readonly altitudeAccuracy: number | null;
    readonly heading: number | null;
    readonly speed: number | null;
  };
  readonly timestamp: number;
}

/** The place that a browser's `navigator.geolocation` read. */
export function placeOf({ coords, timestamp }: GeolocationReading): Place {
  return {
    latitude: coords.latitude,
    longitude: coords.longitude,
    horizontalAccuracy: coords.accuracy,
    verticalAccuracy: coords.altitudeAccuracy ?? undefined,
    altitude: coords.altitude ?? undefined,
    course: coords.heading ?? undefined,
    speed: coords.speed ?? undefined,
    timeMs: timestamp,
  };
}

/** A place as requests hold it. */
export function placeToJson(place: Place): JsonObject {
  const { timeMs } = place;
  const seconds = timeMs === undefined ? 0 : Math.floor(timeMs / 1_000);
  return {
    latitude: place.latitude,
    longitude: place.longitude,
    horizontal_accuracy: place.horizontalAccuracy,
    vertical_accuracy: place.verticalAccuracy,
    altitude: place.altitude,
    course: place.course,
    speed: place.speed,
    // Requests have times as objects, unlike replies.
    timestamp: timeMs === undefined
      ? undefined
      : { seconds: String(seconds), nanos: Math.round((timeMs - seconds * 1_000) * 1e6) },
  };
}

/** A place as replies hold it. */
export function placeFromJson(json: JsonObject): Place {
  const timeMs = timeOf(json.timestamp);
  return {
    latitude: numberOf(json.latitude),
    longitude: numberOf(json.longitude),
    horizontalAccuracy: numberOf(json.horizontal_accuracy),
    verticalAccuracy: numberOf(json.vertical_accuracy),
    altitude: numberOf(json.altitude),
    course: numberOf(json.course),
    speed: numberOf(json.speed),
    ...(timeMs === undefined ? {} : { timeMs }),
  };
}
