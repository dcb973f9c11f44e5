/** A place on the earth, WGS84 degrees. */
export interface Place {
  latitude: number;
  longitude: number;
}

/** Text that is no place or no route; the message says what one looks like. */
export class PlaceError extends Error {
  override readonly name = "PlaceError";
}

/** Reads `lat,lon`. @throws {PlaceError} */
export function parsePlace(text: string): Place {
  const parts = text.split(",").map((part) => part.trim());
  const [latitude, longitude] = parts.map((part) => part === "" ? NaN : Number(part));
  if (parts.length !== 2 || !isWithin(latitude, 90) || !isWithin(longitude, 180)) {
    throw new PlaceError(
      `"${text}" is no place: expected LATITUDE,LONGITUDE in degrees, at most 90 and 180, such as 52.52,13.405`,
    );
  }
  return { latitude: latitude!, longitude: longitude! };
}

/** Reads places separated by white space or semicolons; what follows # in a line is a comment. @throws {PlaceError} */
export function parseRoute(text: string): Place[] {
  const bare = text.split("\n").map((line) => line.replace(/#.*/, "")).join("\n");
  // "52.5, 13.4" is one place.
  const places = bare.replaceAll(/\s*,\s*/g, ",").split(/[\s;]+/).filter((part) => part !== "").map(parsePlace);
  if (places.length === 0) throw new PlaceError("The route holds no place; expected LATITUDE,LONGITUDE pairs");
  return places;
}

function isWithin(value: number | undefined, limit: number): boolean {
  return value !== undefined && Math.abs(value) <= limit;
}
