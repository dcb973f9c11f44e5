/** Anything that JSON can hold. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };

/** What stands where a secret was. */
const REDACTED = "***";

const SECRET_WORDS = [
  "password",
  "passwd",
  "passphrase",
  "secret",
  "token",
  "authorization",
  "cookie",
  "privatekey",
  "privatepem",
  "apikey",
  "credential",
  "keypem",
  "sessionkey",
  "accesskey",
  "accessvars",
];
const SECRET_NAMES = ["pass", "pwd", "pw", "otp", "totp", "pin", "kek", "jwt", "signature", "setcookie"];

/** Endings that say a name speaks about a secret without holding it: where it lies, how many, how old. */
const HARMLESS_ENDINGS = [
  "file",
  "path",
  "dir",
  "count",
  "ms",
  "bytes",
  "version",
  "id",
  "kid",
  "type",
  "name",
  "expires",
  "expiration",
  "lifetime",
  "uri",
  "attempts",
];

const MAX_DEPTH = 6;
const MAX_ENTRIES = 100;
/** As much of a text as a span attribute may hold in the usual back-ends. */
const MAX_TEXT_CHARS = 4_096;

/** Whether a field of this name holds a secret, whatever the case and separators. */
export function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  if (SECRET_NAMES.includes(plain)) return true;
  if (!SECRET_WORDS.some((word) => plain.includes(word))) return false;
  return !HARMLESS_ENDINGS.some((ending) => plain.endsWith(ending));
}

/** Hides secrets inside a text: private keys, passwords in URLs, bearer tokens; and cuts it to a bounded length. */
export function redactText(text: string): string {
  return hideSecrets(
    text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}… (${text.length} characters)` : text,
  );
}

/** The same without the cut, for texts whose length is bounded elsewhere. */
export function hideSecrets(text: string): string {
  return text
    .replaceAll(/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(-----END \1-----|$)/g, REDACTED)
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*):[^\s/?#@]+@/gi, `$1:${REDACTED}@`)
    .replaceAll(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${REDACTED}`)
    .replaceAll(/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, REDACTED);
}

/**
 * Turns any value into JSON that may be logged: secret-named fields and secret-looking texts hidden, depth, number of
 * entries and length bounded, cycles cut.
 */
export function redact(value: unknown): JsonValue {
  return redactValue(value, 0, new Set());
}

function redactValue(value: unknown, depth: number, above: Set<object>): JsonValue {
  switch (typeof value) {
    case "string":
      return redactText(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
      return value;
    case "bigint":
      return value.toString();
    case "object":
      return value === null ? null : redactObject(value, depth, above);
    case "undefined":
    case "function":
    case "symbol":
      return null;
  }
}

function redactObject(value: object, depth: number, above: Set<object>): JsonValue {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (depth >= MAX_DEPTH || above.has(value)) return "…";
  const path = new Set(above).add(value);
  const inner = (entry: unknown) => redactValue(entry, depth + 1, path);
  if (value instanceof Error) {
    const { name, message, cause } = value;
    const code = (value as { code?: unknown }).code;
    return {
      name,
      message: redactText(message),
      ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
      ...(cause === undefined ? {} : { cause: inner(cause) }),
    };
  }
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map(inner);
  const entries = value instanceof Map
    ? [...value].map(([key, entry]) => [String(key), entry] as const)
    : Object.entries(value);
  const result: { [name: string]: JsonValue } = {};
  for (const [name, entry] of entries.slice(0, MAX_ENTRIES)) {
    if (entry === undefined || typeof entry === "function") continue;
    const hidden = isSecretName(name) && typeof entry !== "boolean" && entry !== null && entry !== "";
    // A plain assignment would drop a field called __proto__.
    Object.defineProperty(result, name, {
      value: hidden ? REDACTED : inner(entry),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result;
}
