import { MatchError, reasonOf } from "./errors.ts";
import { numberOf, objectOf, oneOf, textOf } from "./json.ts";
import { type Place, placeFromJson, placeToJson } from "./place.ts";
import type { Fetch, Rest } from "./rest.ts";
import type { Session } from "./session.ts";
import { LOCATION_ANSWERS, LOCATION_CHECKS, type LocationAnswer, type LocationCheck } from "./texts.ts";

/** How a claimed place compares with what the operator's network knows. */
export interface VerifiedLocation {
  readonly status: LocationCheck;
  /** The claim is true within so many km; undefined when it is not, or not known. */
  readonly accuracyKm: number | undefined;
}

/** Where the operator's network sees the device. */
export interface NetworkLocation {
  readonly status: LocationAnswer;
  readonly carrier: string;
  /** Cell tower, a 64-bit number in decimal; "0" when not told. */
  readonly tower: string;
  /** Undefined unless found. */
  readonly place: Place | undefined;
}

/** Parts of calls about places. */
export interface LocationParts {
  readonly rest: Rest;
  readonly session: Session;
  readonly carrier: string;
}

/** Has a place verified. @param token of the operator's token server; fetched there when not given @throws {MatchError} */
export async function verifyLocation(parts: LocationParts, place: Place, token?: string): Promise<VerifiedLocation> {
  const { rest, session, carrier } = parts;
  const { tokenServerUri } = await session.current();
  const verify_loc_token = token ?? (tokenServerUri === "" ? "" : await fetchToken(rest.fetch, tokenServerUri));
  const reply = await session.withCookie((session_cookie) =>
    rest.call("VerifyLocation", {
      session_cookie,
      carrier_name: carrier,
      gps_location: placeToJson(place),
      verify_loc_token,
    })
  );
  const accuracyKm = numberOf(reply.gps_location_accuracy_km);
  return {
    status: oneOf(LOCATION_CHECKS, reply.gps_location_status),
    accuracyKm: accuracyKm < 0 ? undefined : accuracyKm,
  };
}

/** The token server redirects to an address that holds the token; following it is not asked for. */
async function fetchToken(fetch: Fetch, uri: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(uri, { method: "GET", redirect: "manual" });
    await response.body?.cancel();
  } catch (error) {
    throw new MatchError("UNAVAILABLE", `The operator's token server is not reached: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  if (response.type === "opaqueredirect") {
    throw new MatchError(
      "FAILED_PRECONDITION",
      "A page cannot read the token of the operator's token server: fetch it elsewhere and give it to verifyLocation",
    );
  }
  const target = response.headers.get("location");
  const token = target === null ? null : new URL(target, uri).searchParams.get("dt-id");
  if (token === null) {
    throw new MatchError("INTERNAL", `The operator's token server gave no token (HTTP ${response.status})`);
  }
  return token;
}

/** Asks the operator's network where the device is. @throws {MatchError} */
export async function getLocation({ rest, session, carrier }: LocationParts): Promise<NetworkLocation> {
  const reply = await session.withCookie((session_cookie) =>
    rest.call("GetLocation", { session_cookie, carrier_name: carrier })
  );
  const status = oneOf(LOCATION_ANSWERS, reply.status);
  return {
    status,
    carrier: textOf(reply.carrier_name),
    tower: textOf(reply.tower),
    place: status === "Found" ? placeFromJson(objectOf(reply.network_location)) : undefined,
  };
}
