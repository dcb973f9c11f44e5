/** Value of a field: a number with a fraction, an integer (bigint), text or a truth value. A field keeps its type. */
export type FieldValue = number | bigint | string | boolean;

/** One sample. Two with the same measurement, tags and time are one, with the fields of both. */
export interface Point {
  readonly measurement: string;
  /** What it is about; empty values count as absent. */
  readonly tags: Readonly<Record<string, string>>;
  /** What was measured: at least one. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** Milliseconds since 1970; kept to the microsecond. */
  readonly timeMs: number;
}

/** Names of measurements, tags and fields: nothing that would mean something to a database. */
const NAME = /^[A-Za-z0-9_.-]{1,128}$/;

/** Most tags, and most fields, of one point. */
const MAX_ENTRIES = 64;

/** Longest value of a tag or field, in characters. */
const MAX_TEXT = 1024;

/** Latest time that all databases take, in milliseconds (2262). */
const MAX_TIME_MS = 9_223_372_036_854;

/** Integers that fit into 64 bits. */
const MAX_INTEGER = 2n ** 63n - 1n;

/** Whether a name may stand in points and queries. */
export function isName(name: string): boolean {
  return NAME.test(name);
}

/** Why a point cannot be kept; undefined when it can. */
export function pointFault({ measurement, tags, fields, timeMs }: Point): string | undefined {
  if (!isName(measurement)) return `measurement ${shown(measurement)} is no name`;
  const tagEntries = Object.entries(tags);
  const fieldEntries = Object.entries(fields);
  if (fieldEntries.length === 0) return `${measurement} has no fields`;
  if (tagEntries.length > MAX_ENTRIES || fieldEntries.length > MAX_ENTRIES) {
    return `${measurement} has more than ${MAX_ENTRIES} tags or fields`;
  }
  for (const [name, value] of tagEntries) {
    if (!isName(name)) return `${measurement} has a tag ${shown(name)}, which is no name`;
    // What the line protocol cannot say: a line's end in a value, and a backslash before a separator.
    if (value.length > MAX_TEXT || hasControl(value) || value.endsWith("\\")) {
      return `tag ${name} of ${measurement} has an unfit value`;
    }
  }
  for (const [name, value] of fieldEntries) {
    if (!isName(name)) return `${measurement} has a field ${shown(name)}, which is no name`;
    if (typeof value === "number" && !Number.isFinite(value)) return `field ${name} of ${measurement} is no number`;
    if (typeof value === "bigint" && (value > MAX_INTEGER || value < -MAX_INTEGER)) {
      return `field ${name} of ${measurement} is too large`;
    }
    if (typeof value === "string" && (value.length > MAX_TEXT || hasControl(value))) {
      return `field ${name} of ${measurement} has an unfit value`;
    }
  }
  if (!(timeMs >= 0 && timeMs <= MAX_TIME_MS)) return `${measurement} has the time ${timeMs}`;
  return undefined;
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** Tags without empty ones, sorted by name: what a series is known by. */
export function seriesTags(tags: Readonly<Record<string, string>>): [name: string, value: string][] {
  return Object.entries(tags).filter(([, value]) => value !== "")
    .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
}
