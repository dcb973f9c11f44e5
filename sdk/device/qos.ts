import { type JsonObject, numberOf, objectsOf, oneOf, textOf } from "./json.ts";
import { type Place, placeToJson } from "./place.ts";
import type { Rest } from "./rest.ts";
import type { Session } from "./session.ts";
import { QOS_DELETIONS, QOS_PROFILES, type QosDeletion, type QosProfile, type QosProtocol } from "./texts.ts";

/** Lowest, average and highest of a measure. */
export interface Spread {
  readonly minimum: number;
  readonly average: number;
  readonly maximum: number;
}

/** What the network is expected to give at a place. */
export interface QosForecast {
  readonly place: Place;
  /** Mbit/s. */
  readonly downlink: Spread;
  /** Mbit/s. */
  readonly uplink: Spread;
  /** Milliseconds. */
  readonly latency: Spread;
}

/** What narrows a forecast down. */
export interface ForecastOptions {
  /** LTE device category. */
  readonly lteCategory?: number;
  /** Names of bands by generation. */
  readonly bands?: Readonly<Partial<Record<"rat2g" | "rat3g" | "rat4g" | "rat5g", readonly string[]>>>;
}

/** A priority session that is wanted. */
export interface PriorityRequest {
  readonly profile: QosProfile;
  /** IPv4, dotted. */
  readonly deviceAddress: string;
  /** IPv4, dotted. */
  readonly serverAddress: string;
  /** One, a list or a range of ports, such as `5000,5010-5020`. */
  readonly devicePorts?: string;
  /** @see PriorityRequest.devicePorts */
  readonly serverPorts?: string;
  /** @default "Any" */
  readonly protocolIn?: QosProtocol;
  /** @default "Any" */
  readonly protocolOut?: QosProtocol;
  readonly durationS: number;
  /** Where the network tells of changes, and how it is known there. */
  readonly notification?: { readonly uri: string; readonly authToken: string };
}

/** A priority session that there is. */
export interface PrioritySession {
  readonly id: string;
  readonly profile: QosProfile;
  readonly durationS: number;
  /** Seconds since the Unix epoch. */
  readonly startedAt: number;
  /** Seconds since the Unix epoch. */
  readonly expiresAt: number;
  /** False: one that was there already was kept. */
  readonly created: boolean;
}

/** Parts of calls about quality. */
export interface QosParts {
  readonly rest: Rest;
  readonly session: Session;
}

/** Asks what the network will give at places; as many answers, in their order, as the network has. @throws {MatchError} */
export async function forecast(
  { rest, session }: QosParts,
  places: readonly Place[],
  { lteCategory, bands }: ForecastOptions = {},
): Promise<QosForecast[]> {
  const positions = places.map((place, index) => ({ positionid: String(index), gps_location: placeToJson(place) }));
  const replies = await session.withCookie((session_cookie) =>
    rest.lines("GetQosPositionKpi", { session_cookie, positions, lte_category: lteCategory, band_selection: bands })
  );
  const results = replies.flatMap((reply) => objectsOf(reply.position_results));
  return results.flatMap((result) => {
    const place = places[numberOf(result.positionid)];
    return place === undefined ? [] : [{
      place,
      downlink: spread(result, "dluserthroughput"),
      uplink: spread(result, "uluserthroughput"),
      latency: spread(result, "latency"),
    }];
  });
}

function spread(json: JsonObject, name: string): Spread {
  return {
    minimum: numberOf(json[`${name}_min`]),
    average: numberOf(json[`${name}_avg`]),
    maximum: numberOf(json[`${name}_max`]),
  };
}

/** Requests need the names of the schema; replies have shorter ones. */
const PROFILE_NAMES: Readonly<Record<QosProfile, string>> = {
  NoPriority: "QOS_NO_PRIORITY",
  LowLatency: "QOS_LOW_LATENCY",
  ThroughputDownS: "QOS_THROUGHPUT_DOWN_S",
  ThroughputDownM: "QOS_THROUGHPUT_DOWN_M",
  ThroughputDownL: "QOS_THROUGHPUT_DOWN_L",
};

/** Creates a priority session, or keeps the one there is. @throws {MatchError} */
export async function createPriority({ rest, session }: QosParts, wanted: PriorityRequest): Promise<PrioritySession> {
  const reply = await session.withCookie((session_cookie) =>
    rest.call("QosPrioritySessionCreate", {
      session_cookie,
      session_duration: wanted.durationS,
      ip_user_equipment: wanted.deviceAddress,
      ip_application_server: wanted.serverAddress,
      port_user_equipment: wanted.devicePorts,
      port_application_server: wanted.serverPorts,
      protocol_in: (wanted.protocolIn ?? "Any").toUpperCase(),
      protocol_out: (wanted.protocolOut ?? "Any").toUpperCase(),
      profile: PROFILE_NAMES[wanted.profile],
      notification_uri: wanted.notification?.uri,
      notification_auth_token: wanted.notification?.authToken,
    })
  );
  return {
    id: textOf(reply.session_id),
    profile: oneOf(QOS_PROFILES, reply.profile),
    durationS: numberOf(reply.session_duration),
    startedAt: numberOf(reply.started_at),
    expiresAt: numberOf(reply.expires_at),
    created: numberOf(reply.http_status) === 201,
  };
}

/** Deletes a priority session. @throws {MatchError} */
export async function deletePriority(
  { rest, session }: QosParts,
  { id, profile }: Pick<PrioritySession, "id" | "profile">,
): Promise<QosDeletion> {
  const reply = await session.withCookie((session_cookie) =>
    rest.call("QosPrioritySessionDelete", { session_cookie, session_id: id, profile: PROFILE_NAMES[profile] })
  );
  return oneOf(QOS_DELETIONS, reply.status);
}
