import type { HeaderField, HeaderList } from "../../http2/mod.ts";
import { Metadata } from "../metadata.ts";

/** Fields that belong to the protocol and are no metadata (gRPC over HTTP/2, "Requests" and "Responses"). */
const PROTOCOL_FIELDS: ReadonlySet<string> = new Set([
  "content-type",
  "te",
  "grpc-timeout",
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-message-type",
  "grpc-status",
  "grpc-message",
  "grpc-status-details-bin",
]);

/** Trailer that carries the details of a status. */
const DETAILS = "grpc-status-details-bin";

/** Longest value of grpc-timeout: eight digits and a unit. */
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const MS_OF_UNIT: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** First value of a field. */
export function fieldOf(headers: HeaderList, name: string): string | undefined {
  // By index: each step of an iterator costs an object or two.
  for (let at = 0; at < headers.length; at++) {
    const field = headers[at]!;
    if (field[0] === name) return field[1];
  }
  return undefined;
}

/** Appends metadata as fields; bytes travel as base64. */
export function addMetadata(fields: HeaderField[], metadata: Metadata): void {
  for (const [key, value] of metadata) {
    if (PROTOCOL_FIELDS.has(key)) continue;
    fields.push([key, typeof value === "string" ? value : toBase64(value)]);
  }
}

/** The fields that are metadata; those that we could not send are dropped. */
export function metadataOf(headers: HeaderList): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of headers) {
    if (name.charCodeAt(0) === 0x3a || PROTOCOL_FIELDS.has(name)) continue;
    try {
      if (!name.endsWith("-bin")) metadata.append(name, value);
      else for (const part of value.split(",")) metadata.append(name, fromBase64(part.trim()));
    } catch { /* a field that is no valid metadata is none of ours */ }
  }
  return metadata;
}

/** Details of a status from trailers. */
export function detailsOf(headers: HeaderList): Uint8Array | undefined {
  const value = fieldOf(headers, DETAILS);
  if (value === undefined) return undefined;
  try {
    return fromBase64(value);
  } catch {
    return undefined;
  }
}

/** Appends a status as trailers. */
export function addStatus(fields: HeaderField[], code: number, message: string, details: Uint8Array | undefined): void {
  fields.push(["grpc-status", String(code)]);
  if (message !== "") fields.push(["grpc-message", percentEncode(message)]);
  if (details !== undefined) fields.push([DETAILS, toBase64(details)]);
}

/** Milliseconds of a `grpc-timeout`; undefined when there is none. @throws {RangeError} on a malformed one. */
export function parseTimeout(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const match = TIMEOUT.exec(value);
  if (match === null) throw new RangeError(`grpc-timeout ${JSON.stringify(value)} must be up to 8 digits and a unit`);
  return Number(match[1]) * MS_OF_UNIT[match[2]!]!;
}

/** `grpc-timeout` of so many milliseconds, in the finest unit that eight digits hold; never 0, which some refuse. */
export function formatTimeout(ms: number): string {
  const left = Math.max(ms, 0);
  if (left < 1e5) return `${Math.max(1, Math.ceil(left * 1e3))}u`;
  if (left < 1e8) return `${Math.ceil(left)}m`;
  return `${Math.min(99_999_999, Math.ceil(left / 1e3))}S`;
}

/**
 * Text of a status as it travels: UTF-8, with everything but printable ASCII and "%" escaped, and spaces at either end,
 * which no field may have (RFC 9113, 8.2.1).
 */
export function percentEncode(text: string): string {
  if (/^(?! )[\x20-\x24\x26-\x7e]*(?<! )$/.test(text)) return text;
  let encoded = "";
  const bytes = new TextEncoder().encode(text);
  for (const [i, byte] of bytes.entries()) {
    const outer = byte === 0x20 && (i === 0 || i === bytes.length - 1);
    encoded += byte >= 0x20 && byte <= 0x7e && byte !== 0x25 && !outer
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** Reverses {@linkcode percentEncode}; what is no escape stays as it is. */
export function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const escaped = text[at] === "%" ? /^[0-9A-Fa-f]{2}/.exec(text.slice(at + 1, at + 3))?.[0] : undefined;
    bytes.push(escaped === undefined ? text.charCodeAt(at) & 0xff : parseInt(escaped, 16));
    if (escaped !== undefined) at += 2;
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replace(/=+$/, "");
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
