import { type JsonObject, numberOf, objectOf, objectsOf, oneOf, tagsOf, textOf } from "./json.ts";
import { type Place, placeFromJson } from "./place.ts";
import { type Protocol, PROTOCOLS, QOS_RESULTS, type QosResult } from "./texts.ts";

/** A port of an instance, or a range of them. */
export interface Port {
  readonly protocol: Protocol;
  /** Number inside the app; the first one of a range. */
  readonly internalPort: number;
  /** Number to connect to; the first one of a range. */
  readonly publicPort: number;
  /** Last internal port of a range, 0 for a single port. The public range is as long. */
  readonly endPort: number;
  /** To be put in front of the instance's name for this port. */
  readonly fqdnPrefix: string;
  readonly tls: boolean;
  /** UDP, bytes; 0 is the default. */
  readonly maxPacketBytes: number;
}

/** An instance of an app that a device may use. */
export interface Instance {
  readonly fqdn: string;
  readonly ports: readonly Port[];
  /** Place of its cloudlet. */
  readonly location: Place;
  /** What an event stream of this instance is opened with; good for ten minutes. */
  readonly edgeEventsCookie: string;
  /** What became of the priority session, where one is made. */
  readonly qos: { readonly result: QosResult; readonly error: string };
  readonly tags: Readonly<Record<string, string>>;
}

/** An app. */
export interface AppKey {
  readonly organization: string;
  readonly name: string;
  readonly version: string;
}

/** A cloudlet with the instances of the app there. */
export interface Site {
  /** Organization that owns the cloudlet. */
  readonly organization: string;
  readonly name: string;
  readonly location: Place;
  /** Great-circle distance, km; a public cloud counts as 100 km farther than it is where a carrier is asked for. */
  readonly distanceKm: number;
  readonly instances: readonly (Instance & { readonly app: AppKey })[];
}

function portFromJson(json: JsonObject): Port {
  return {
    protocol: oneOf(PROTOCOLS, json.proto),
    internalPort: numberOf(json.internal_port),
    publicPort: numberOf(json.public_port),
    endPort: numberOf(json.end_port),
    fqdnPrefix: textOf(json.fqdn_prefix),
    tls: json.tls === true,
    maxPacketBytes: numberOf(json.max_pkt_size),
  };
}

/** The instance of a FindCloudletReply; undefined when none was found. */
export function instanceFromJson(json: JsonObject): Instance | undefined {
  if (json.status !== "Found") return undefined;
  return {
    fqdn: textOf(json.fqdn),
    ports: objectsOf(json.ports).map(portFromJson),
    location: placeFromJson(objectOf(json.cloudlet_location)),
    edgeEventsCookie: textOf(json.edge_events_cookie),
    qos: { result: oneOf(QOS_RESULTS, json.qos_result), error: textOf(json.qos_error_msg) },
    tags: tagsOf(json.tags),
  };
}

/** Whether connections to one are connections to the other. Instances of one site may share its name, not its ports. */
export function isSameInstance(a: Instance, b: Instance): boolean {
  return a.fqdn === b.fqdn && a.ports.length === b.ports.length && a.ports.every((port, index) => {
    const other = b.ports[index]!;
    return port.publicPort === other.publicPort && port.protocol === other.protocol &&
      port.fqdnPrefix === other.fqdnPrefix;
  });
}

/** A cloudlet of an AppInstListReply. */
export function siteFromJson(json: JsonObject): Site {
  const location = placeFromJson(objectOf(json.gps_location));
  return {
    organization: textOf(json.carrier_name),
    name: textOf(json.cloudlet_name),
    location,
    distanceKm: numberOf(json.distance),
    instances: objectsOf(json.appinstances).map((each) => ({
      app: { organization: textOf(each.org_name), name: textOf(each.app_name), version: textOf(each.app_vers) },
      fqdn: textOf(each.fqdn),
      ports: objectsOf(each.ports).map(portFromJson),
      location,
      edgeEventsCookie: textOf(each.edge_events_cookie),
      qos: { result: "NotAttempted", error: "" },
      tags: {},
    })),
  };
}
