import { instanceFromJson } from "../instance.ts";
import { type JsonObject, numberOf, objectOf, oneOf, textOf, timeOf } from "../json.ts";
import type { FoundInstance } from "../matching.ts";
import { type Place, placeToJson } from "../place.ts";
import { CLOUDLET_STATES, HEALTH_CHECKS, MAINTENANCE_STATES, SERVER_EVENTS, type ServerEventType } from "../texts.ts";
import type { EdgeEvent, RegionStatistics, Trigger } from "./events.ts";

/** What a device is; counted in the region's statistics. */
export interface DeviceFacts {
  readonly os?: string;
  readonly model?: string;
}

/** What changes about a device; counted in the region's statistics. */
export interface NetworkFacts {
  /** Such as `LTE` or `5G`. */
  readonly dataNetworkType?: string;
  readonly signalStrength?: number;
  /** Organization or code of the operator whose instances the device may be sent to; "" is any. */
  readonly carrierName?: string;
}

/** The first event of a stream. */
export function initEvent(
  cookies: { sessionCookie: string; edgeEventsCookie: string },
  facts: DeviceFacts,
  network: NetworkFacts,
): JsonObject {
  return {
    event_type: "EVENT_INIT_CONNECTION",
    session_cookie: cookies.sessionCookie,
    edge_events_cookie: cookies.edgeEventsCookie,
    device_info_static: { device_os: facts.os ?? "", device_model: facts.model ?? "" },
    device_info_dynamic: networkToJson(network),
  };
}

/** The last event of a stream. */
export const TERMINATE: JsonObject = { event_type: "EVENT_TERMINATE_CONNECTION" };

/** Where the device is now. */
export function locationEvent(place: Place, network: NetworkFacts): JsonObject {
  return {
    event_type: "EVENT_LOCATION_UPDATE",
    gps_location: placeToJson(place),
    device_info_dynamic: networkToJson(network),
  };
}

/** What the device measured; failed samples as −1. */
export function samplesEvent(values: readonly number[], place: Place, network: NetworkFacts): JsonObject {
  return {
    event_type: "EVENT_LATENCY_SAMPLES",
    gps_location: placeToJson(place),
    samples: values.map((value) => ({ value })),
    device_info_dynamic: networkToJson(network),
  };
}

/** Something that the app counts. */
export function customEvent(name: string, values: readonly number[]): JsonObject {
  return { event_type: "EVENT_CUSTOM_EVENT", custom_event: name, samples: values.map((value) => ({ value })) };
}

function networkToJson({ dataNetworkType, signalStrength, carrierName }: NetworkFacts): JsonObject {
  return {
    data_network_type: dataNetworkType ?? "",
    signal_strength: signalStrength === undefined || signalStrength < 0 ? "0" : String(Math.round(signalStrength)),
    carrier_name: carrierName ?? "",
  };
}

/** What an event of the region means. */
export interface Meaning {
  /** What the app is told of it. */
  readonly told?: EdgeEvent;
  /** The device is to measure. */
  readonly measure?: true;
  /** There is a reason to go, with where to, or why there is nowhere. */
  readonly go?: { readonly trigger: Trigger; readonly to: FoundInstance | undefined; readonly reason: string };
}

/** Reads an event of the region (DME specification 5 and 9). */
export function meaningOf(json: JsonObject): Meaning {
  const go = (trigger: Trigger) => ({
    trigger,
    to: instanceFromJson(objectOf(json.new_cloudlet)),
    reason: textOf(json.error_msg),
  });
  const type: ServerEventType = oneOf(SERVER_EVENTS, json.event_type);
  switch (type) {
    case "LatencyRequest":
      return { measure: true };
    case "LatencyProcessed":
      return { told: { type: "latencyProcessed", statistics: regionStatistics(objectOf(json.statistics)) } };
    case "CloudletState": {
      const state = oneOf(CLOUDLET_STATES, json.cloudlet_state);
      const told: EdgeEvent = { type: "cloudletState", state };
      return state === "Ready" ? { told } : { told, go: go("cloudlet-state") };
    }
    case "CloudletMaintenance": {
      const state = oneOf(MAINTENANCE_STATES, json.maintenance_state);
      const told: EdgeEvent = { type: "maintenance", state };
      // The steps before it are announcements: the instance goes on working.
      return state === "UnderMaintenance" ? { told, go: go("maintenance") } : { told };
    }
    case "AppinstHealth": {
      const health = oneOf(HEALTH_CHECKS, json.health_check);
      const told: EdgeEvent = { type: "health", health };
      return health === "Ok" || health === "Unknown" ? { told } : { told, go: go("health") };
    }
    case "CloudletUpdate":
      return { go: go("closer") };
    case "Error":
      return { told: { type: "refused", reason: textOf(json.error_msg) } };
    case "Unknown":
    case "InitConnection":
      // Of a later version of the API, or a repetition.
      return {};
  }
}

function regionStatistics(json: JsonObject): RegionStatistics {
  return {
    samples: numberOf(json.num_samples),
    average: numberOf(json.avg),
    minimum: numberOf(json.min),
    maximum: numberOf(json.max),
    deviation: numberOf(json.std_dev),
    variance: numberOf(json.variance),
    timeMs: timeOf(json.timestamp),
  };
}
