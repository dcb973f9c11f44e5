import type { JsonValue } from "../telemetry/mod.ts";
import { parseAddress } from "./address.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { nearest } from "./nearest.ts";
import type { OptionSpec } from "./options.ts";

/** A value that was read, or the rule that it breaks. */
export type Parsed = { readonly value: unknown } | { readonly rule: string };

/** Turns relative paths into absolute ones. */
export type ResolvePath = (path: string) => string;

/** Reads a value given as text, as flags and variables are. */
export function parseText(spec: OptionSpec, text: string, resolvePath: ResolvePath): Parsed {
  switch (spec.kind) {
    case "string":
      return spec.pattern && !spec.pattern.test(text) ? { rule: formRule(spec) } : { value: text };
    case "int":
      return parseInteger(spec, text);
    case "bool":
      return text === "true" || text === "false" ? { value: text === "true" } : { rule: "must be true or false" };
    case "duration":
      return parseBoundedDuration(spec, text);
    case "address": {
      const value = parseAddress(text);
      return value ? { value } : { rule: "must be host:port, [v6]:port or :port with a port of 0 to 65535" };
    }
    case "url":
      return parseUrl(spec.schemes, text);
    case "path":
      return text === "" ? { rule: "must be a path" } : { value: resolvePath(text) };
    case "list":
      return checkList(spec, text === "" ? [] : text.split(",").map((part) => part.trim()));
    case "enum":
      return spec.values.includes(text) ? { value: text } : { rule: enumRule(spec.values, text) };
    case "json":
      return parseJson(text);
  }
}

/** Reads a value as a YAML file gives it: texts as above, and the file's own numbers, booleans, lists and mappings. */
export function parseNative(spec: OptionSpec, given: unknown, resolvePath: ResolvePath): Parsed {
  if (spec.kind === "json") return { value: given as JsonValue };
  if (spec.kind === "list" && Array.isArray(given)) {
    return given.every((item) => typeof item === "string" || typeof item === "number")
      ? checkList(spec, given.map(String))
      : { rule: "must be a list of texts" };
  }
  if (typeof given === "string" || typeof given === "number" || typeof given === "boolean") {
    return parseText(spec, String(given), resolvePath);
  }
  return { rule: `must be a single value (${spec.kind})` };
}

function parseInteger(
  { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number },
  text: string,
): Parsed {
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return { value };
  if (max !== Number.MAX_SAFE_INTEGER) return { rule: `must be a whole number from ${min} to ${max}` };
  return {
    rule: min === Number.MIN_SAFE_INTEGER ? "must be a whole number" : `must be a whole number of at least ${min}`,
  };
}

function parseBoundedDuration(
  { minMs = 0, maxMs = Infinity }: { minMs?: number; maxMs?: number },
  text: string,
): Parsed {
  const value = parseDuration(text);
  if (value === undefined) return { rule: "must be a duration such as 250ms, 10s, 5m or 1h30m" };
  if (value < minMs) return { rule: `must be at least ${formatDuration(minMs)}` };
  return value > maxMs ? { rule: `must be at most ${formatDuration(maxMs)}` } : { value };
}

function parseUrl(schemes: readonly string[] | undefined, text: string): Parsed {
  const scheme = /^([a-z][a-z0-9+.-]*):./.exec(text)?.[1];
  if (scheme === undefined) {
    return { rule: `must be a URL${schemes ? ` of ${schemes.map((each) => `${each}:`).join(" or ")}` : ""}` };
  }
  return !schemes || schemes.includes(scheme)
    ? { value: text }
    : { rule: `must begin with ${schemes.map((each) => `${each}:`).join(" or ")}` };
}

interface Formed {
  readonly pattern?: RegExp;
  readonly form?: string;
}

function formRule({ pattern, form }: Formed): string {
  return form === undefined ? `must match ${pattern!.source}` : `must be ${form}`;
}

function checkList(spec: Formed, items: string[]): Parsed {
  const bad = items.find((item) => item === "" || (spec.pattern && !spec.pattern.test(item)));
  if (bad === undefined) return { value: items };
  return {
    rule: bad === "" ? "must not have empty entries" : `entry ${JSON.stringify(bad)} ${formRule(spec)}`,
  };
}

function enumRule(values: readonly string[], text: string): string {
  const close = nearest(text, values);
  return `must be one of ${values.join(", ")}${close ? ` (did you mean ${close}?)` : ""}`;
}

function parseJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { rule: "must be JSON" };
  }
}
