import { type HeaderList, isFieldName, isFieldValue } from "../hpack/mod.ts";

/** What a header list is checked as. */
export type MessagePart = "request" | "response" | "trailers";

/** Fields that belong to a connection of HTTP/1.1 and may not stand in HTTP/2 (RFC 9113, section 8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Checks a received header list against RFC 9113, sections 8.2 and 8.3.
 *
 * @returns What is wrong with it, or null.
 */
export function findMalformed(part: MessagePart, headers: HeaderList): string | null {
  return fieldProblem(part, headers) ?? pseudoProblem(part, headers);
}

function fieldProblem(part: MessagePart, headers: HeaderList): string | null {
  let regular = false;
  for (const [name, value] of headers) {
    if (name.charCodeAt(0) === 0x3a) {
      if (part === "trailers") return `Pseudo-header field ${name} stands in trailers`;
      if (regular) return `Pseudo-header field ${name} stands behind a regular field`;
    } else {
      regular = true;
      if (!isFieldName(name)) return "Field name is empty or holds a character that is not allowed";
      if (CONNECTION_FIELDS.has(name)) return `Field ${name} belongs to HTTP/1.1`;
      if (name === "te" && value !== "trailers") return "Field te says other than trailers";
    }
    if (!isFieldValue(value)) return `Value of ${name} holds a character that is not allowed`;
  }
  return null;
}

function pseudoProblem(part: MessagePart, headers: HeaderList): string | null {
  if (part === "trailers") return null;
  const seen = new Map<string, string>();
  for (const [name, value] of headers) {
    if (name.charCodeAt(0) !== 0x3a) break;
    if (seen.has(name)) return `Pseudo-header field ${name} stands twice`;
    seen.set(name, value);
  }
  if (part === "response") {
    if (seen.size !== 1 || !/^[1-9]\d\d$/.test(seen.get(":status") ?? "")) return "Response without one valid :status";
    return null;
  }
  for (const name of seen.keys()) {
    if (name !== ":method" && name !== ":scheme" && name !== ":path" && name !== ":authority") {
      return "Unknown pseudo-header field";
    }
  }
  const method = seen.get(":method");
  if (!method) return "Request without :method";
  if (method === "CONNECT") {
    return seen.has(":scheme") || seen.has(":path") || !seen.get(":authority") ? "Malformed CONNECT" : null;
  }
  if (!seen.get(":scheme")) return "Request without :scheme";
  const path = seen.get(":path");
  if (!path) return "Request without :path";
  if (!path.startsWith("/") && !(path === "*" && method === "OPTIONS")) return "Value of :path is no path";
  return null;
}

/** The `content-length` of a list: -1 when there is none, NaN when it is no number or two of them differ. */
export function contentLength(headers: HeaderList): number {
  let found = -1;
  for (let i = 0; i < headers.length; i++) {
    const field = headers[i]!;
    if (field[0] !== "content-length") continue;
    const value = field[1];
    const length = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (found >= 0 && length !== found) return NaN;
    found = length;
  }
  return found;
}
