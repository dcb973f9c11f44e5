import { isJsonObject, shownValue } from "../../../../shared/schema/mod.ts";
import { ApiError, badRequest } from "./api_error.ts";
import { scanJson } from "./json_scan.ts";

/** Largest body taken, bytes: a deployment manifest may be large, nothing else is. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** The JSON object of a request. Keys are matched without regard to case (mc spec 1.1). */
export interface JsonBody {
  readonly value: { readonly [key: string]: unknown };
  /** Byte offset of the value at a dotted path, for messages. */
  offsetOf(path: string): number;
}

/** The body of a call that needs none. */
export const EMPTY_BODY: JsonBody = { value: {}, offsetOf: () => 0 };

/**
 * Reads the body of a request.
 * @param emptyAllowed whether a body of no bytes stands for `{}`
 * @throws {ApiError} 415 without `application/json`, 413 when too large, 400 for what is no JSON object
 */
export async function readJsonBody(request: Request, emptyAllowed: boolean): Promise<JsonBody> {
  const bytes = await readLimited(request);
  if (bytes.length === 0 && emptyAllowed) return EMPTY_BODY;
  const mediaType = (request.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (mediaType !== "application/json") throw new ApiError(415, "Unsupported Media Type");
  if (bytes.length === 0) throw badRequest("Request body can't be empty");
  return parseJsonBody(decode(bytes));
}

/** Parses a JSON object. @throws {ApiError} */
export function parseJsonBody(text: string): JsonBody {
  const places = scanJson(text);
  if (places.faultOffset !== undefined) {
    throw badRequest(`Invalid JSON data: Syntax error at offset ${places.faultOffset}`);
  }
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw typeFault(places, "", "object", value);
  return { value, offsetOf: places.offsetOf };
}

/** What a key of a body must hold. */
export type FieldType = "string" | "boolean" | "integer" | "number" | "time" | "object" | "strings";

/** The value that a type stands for. */
export interface FieldValues {
  string: string;
  boolean: boolean;
  integer: number;
  number: number;
  time: Date;
  object: { [key: string]: unknown };
  strings: string[];
}

/** The present keys of a body, under the names of the declaration. */
export type Fields<D extends Record<string, FieldType>> = { [K in keyof D]?: FieldValues[D[K]] };

/**
 * Reads the keys that are present. `null` counts as absent.
 * @param unknownKey makes the error for a key that is not declared
 * @throws {ApiError} 400 for unknown keys, keys given twice and values of another type
 */
export function readFields<D extends Record<string, FieldType>>(
  body: JsonBody,
  declared: D,
  unknownKey: (key: string) => ApiError = (key) => badRequest(`Invalid JSON data: field ${key} is not known`),
): Fields<D> {
  const names = new Map(Object.keys(declared).map((name) => [name.toLowerCase(), name]));
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body.value)) {
    const name = names.get(key.toLowerCase());
    if (name === undefined) throw unknownKey(key);
    if (Object.hasOwn(fields, name)) throw badRequest(`Invalid JSON data: field ${key} is given twice`);
    if (value !== null) fields[name] = readValue(body, key, declared[name]!, value);
  }
  return fields as Fields<D>;
}

function readValue(body: JsonBody, key: string, type: FieldType, value: unknown): unknown {
  switch (type) {
    case "string":
      return typeof value === "string" ? value : failType(body, key, "string", value);
    case "boolean":
      return typeof value === "boolean" ? value : failType(body, key, "boolean", value);
    case "integer":
      return Number.isSafeInteger(value) ? value : failType(body, key, "integer", value);
    case "number":
      return typeof value === "number" ? value : failType(body, key, "number", value);
    case "object":
      return isJsonObject(value) ? value : failType(body, key, "object", value);
    case "strings":
      return Array.isArray(value) && value.every((item) => typeof item === "string")
        ? value
        : failType(body, key, "list of strings", value);
    case "time":
      return typeof value === "string" ? readTime(key, value) : failType(body, key, "time", value);
  }
}

function readTime(key: string, text: string): Date {
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(time.getTime())) {
    throw badRequest(
      `Invalid JSON data: Unmarshal time: ${key} is ${shownValue(text)}, must be RFC 3339, as 2006-01-02T15:04:05Z`,
    );
  }
  return time;
}

function failType(body: JsonBody, key: string, expected: string, value: unknown): never {
  throw typeFault(body, key, expected, value);
}

function typeFault(body: { offsetOf(path: string): number }, path: string, expected: string, value: unknown): ApiError {
  const got = value === null ? "null" : Array.isArray(value) ? "list" : typeof value;
  const field = path === "" ? "the body" : path;
  return badRequest(
    `Invalid JSON data: Unmarshal error: expected ${expected}, got ${got}, field ${field}, offset ${
      body.offsetOf(path)
    }`,
  );
}

async function readLimited(request: Request): Promise<Uint8Array> {
  // A length that is announced is refused before any of it is read.
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function tooLarge(): ApiError {
  return new ApiError(413, `Request body must not exceed ${MAX_BODY_BYTES} bytes`);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw badRequest("Invalid JSON data: Syntax error: not UTF-8");
  }
}
