/** A value of JSON. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/**
 * Forms of JSON.
 *
 * - `region`: what callers of the region see. Zero values, and hidden, secret and modifier fields, are left out.
 * - `store`: what the region store keeps: as `region`, with hidden fields.
 * - `dme`: the client API (dme spec 2.2, 2.3): every field is printed, 64-bit integers as strings, times as RFC 3339.
 */
export type JsonStyle = "region" | "store" | "dme";

/** One fault of an input. */
export interface Issue {
  /** Dotted JSON path, e.g. `key.app_key.name`; empty: the whole input. */
  readonly path: string;
  /** The offending value as short text; never a secret. */
  readonly value: string;
  /** The rule that it breaks, e.g. `must be a string`. */
  readonly rule: string;
}

/** Faults of a JSON input, all of them. */
export class JsonError extends Error {
  override readonly name = "JsonError";
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(issues.map(issueText).join("; "));
    this.issues = issues;
  }
}

/** A fault as one phrase: field, value and rule. */
export function issueText(issue: Issue): string {
  const value = issue.value === "" ? "" : ` (given: ${issue.value})`;
  return `${issue.path === "" ? "" : `${issue.path} `}${issue.rule}${value}`;
}

const SHOWN_CHARACTERS = 64;

/** A value as short text for an error. */
export function shownValue(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value) ?? String(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

/** Whether a value is a JSON object. */
export function isJsonObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
