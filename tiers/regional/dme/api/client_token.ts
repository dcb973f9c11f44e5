import { dme, fromJson, isJsonObject } from "../../../../shared/schema/mod.ts";
import { invalid } from "./errors.ts";
import { isValidPoint } from "../matching/mod.ts";

/** What a client token says: where a device is and which app it wants. */
export interface ClientToken {
  location: dme.Loc;
  organization: string;
  name: string;
  version: string;
}

/**
 * Writes a client token: base64 of JSON, not signed, never expiring, so that it may grant nothing beyond a lookup
 * (DME specification 3.5).
 */
export function writeClientToken({ location, organization, name, version }: ClientToken): string {
  const zeroless = (value: number) => value === 0 ? undefined : value;
  const { timestamp } = location;
  const json = JSON.stringify({
    Location: {
      latitude: zeroless(location.latitude),
      longitude: zeroless(location.longitude),
      horizontal_accuracy: zeroless(location.horizontalAccuracy),
      vertical_accuracy: zeroless(location.verticalAccuracy),
      altitude: zeroless(location.altitude),
      course: zeroless(location.course),
      speed: zeroless(location.speed),
      timestamp: timestamp && { seconds: zeroless(timestamp.seconds), nanos: zeroless(timestamp.nanos) },
    },
    AppKey: { organization, name, version },
  });
  return new TextEncoder().encode(json).toBase64();
}

/** Reads a client token. @throws {RpcError} INVALID_ARGUMENT naming what is missing or wrong. */
export function readClientToken(token: string): ClientToken {
  if (token === "") throw invalid("client_token is missing");
  const json = decode(token);
  if (!isJsonObject(json) || !isJsonObject(json.AppKey)) throw invalid("client_token is invalid");
  const { organization, name, version } = json.AppKey;
  const parts = { organization, name, version };
  for (const [part, value] of Object.entries(parts)) {
    if (typeof value !== "string" || value === "") throw invalid(`client_token names no app ${part}`);
  }
  let location: dme.Loc;
  try {
    location = fromJson(dme.Loc, json.Location ?? {}, "dme");
  } catch {
    throw invalid("client_token is invalid: its location is malformed");
  }
  if (!isValidPoint(location)) throw invalid("client_token is invalid: its location is out of range");
  return { location, ...parts as { organization: string; name: string; version: string } };
}

function decode(token: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(token)));
  } catch {
    throw invalid("client_token is invalid: it is not base64 of JSON");
  }
}
