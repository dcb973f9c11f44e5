/** An object of the REST form's JSON. */
export type JsonObject = Record<string, unknown>;

/** The value as an object; an empty one for anything else, `null` included. */
export function objectOf(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : {};
}

/** The value as a list of objects. */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

/** The value as a text; "" for anything else. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The value as a number, which may be quoted (64-bit numbers, NaN and the infinities are). 0 for anything else. */
export function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value !== "" ? Number(value) : 0;
}

/** The value if it is one of those texts, else the first of them. */
export function oneOf<const T extends readonly [string, ...string[]]>(texts: T, value: unknown): T[number] {
  return texts.find((text) => text === value) ?? texts[0];
}

/** The members that are texts. */
export function tagsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(value)).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** Milliseconds since the epoch of a time in a reply (RFC 3339); undefined when there is none. */
export function timeOf(value: unknown): number | undefined {
  const ms = Date.parse(textOf(value));
  return Number.isNaN(ms) ? undefined : ms;
}
