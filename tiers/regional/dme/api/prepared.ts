import { dme, toJson } from "../../../../shared/schema/mod.ts";
import { printInstance } from "../cookies/mod.ts";
import type { RegionInstance } from "./desk.ts";

/**
 * What replies to FindCloudlet say of an instance, printed and encoded when it is found for the first time. It hangs on the
 * object that replication brought, which every change of the instance replaces by another one, and is made anew when the
 * instance has got another place from its cloudlet.
 */
export interface Prepared {
  /** Where the instance was when this was made. */
  readonly place: object;
  readonly cloudletLocation: dme.Loc;
  /** What its event-stream cookies say of it, as {@linkcode printInstance} gives it. */
  readonly claims: string;
  /** The reply's JSON before and behind the cookie. */
  readonly head: string;
  readonly tail: string;
  /** The reply encoded, but for the cookie. */
  readonly wire: Uint8Array;
}

/** An instance as it can be prepared. */
export interface Preparable {
  /** Absent until it was found once. */
  prepared?: Prepared;
}

/** What is prepared of an instance. */
export function preparedOf(entry: RegionInstance): Prepared {
  const { prepared } = entry.instance;
  if (prepared !== undefined && prepared.place === entry.location) return prepared;
  return entry.instance.prepared = prepare(entry);
}

const NO_COOKIE = '"edge_events_cookie":""';

function prepare(entry: RegionInstance): Prepared {
  const { instance } = entry;
  const cloudletLocation = instance.cloudletLoc ?? dme.Loc.create(entry.location);
  const { clusterKey, cloudletKey, organization } = instance.key.clusterInstKey;
  const reply = replyOf(instance.uri, instance.mappedPorts, cloudletLocation, "");
  const text = JSON.stringify(toJson(dme.FindCloudletReply, reply, "dme"));
  // Found nowhere else: inside of texts there is a backslash before each quote.
  const cookieAt = text.indexOf(NO_COOKIE) + NO_COOKIE.length - 1;
  return {
    place: entry.location,
    cloudletLocation,
    claims: printInstance({
      clusterOrganization: organization,
      clusterName: clusterKey.name,
      cloudletOrganization: cloudletKey.organization,
      cloudletName: cloudletKey.name,
    }),
    head: text.slice(0, cookieAt),
    tail: text.slice(cookieAt),
    wire: dme.FindCloudletReply.encode(reply),
  };
}

function replyOf(fqdn: string, ports: dme.AppPort[], cloudletLocation: dme.Loc, edgeEventsCookie: string) {
  return {
    ...{ ver: 0, status: dme.FindCloudletReply_FindStatus.FIND_FOUND, fqdn, ports, cloudletLocation, edgeEventsCookie },
    ...{ qosResult: dme.FindCloudletReply_QosSessionResult.QOS_NOT_ATTEMPTED, qosErrorMsg: "", tags: {} },
  };
}

/** Tells a device of an instance. A reply as others to whoever reads it, but most of its forms are prepared; not to be changed. */
export class FoundReply implements dme.FindCloudletReply {
  readonly ver = 0;
  readonly status = dme.FindCloudletReply_FindStatus.FIND_FOUND;
  readonly fqdn: string;
  readonly ports: dme.AppPort[];
  readonly cloudletLocation: dme.Loc;
  readonly edgeEventsCookie: string;
  readonly qosResult = dme.FindCloudletReply_QosSessionResult.QOS_NOT_ATTEMPTED;
  readonly qosErrorMsg = "";
  readonly tags: Record<string, string> = {};
  readonly #prepared: Prepared;

  /** @param cookie for the instance's event stream */
  constructor(entry: RegionInstance, prepared: Prepared, cookie: string) {
    this.fqdn = entry.instance.uri;
    this.ports = entry.instance.mappedPorts;
    this.cloudletLocation = prepared.cloudletLocation;
    this.edgeEventsCookie = cookie;
    this.#prepared = prepared;
  }

  /** As JSON of the REST form. A cookie needs no escapes. */
  print(): string {
    const { head, tail } = this.#prepared;
    return head + this.edgeEventsCookie + tail;
  }

  /** As it is encoded; the fields before the cookie are prepared, and none follow it. */
  encode(): Uint8Array {
    const { wire } = this.#prepared;
    const { length } = this.edgeEventsCookie;
    const bytes = room(wire.length + MAX_PREFIX_BYTES + length);
    bytes.set(wire);
    let at = wire.length;
    bytes[at++] = COOKIE_TAG;
    let rest = length;
    for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
    bytes[at++] = rest;
    at += encoder.encodeInto(this.edgeEventsCookie, bytes.subarray(at)).written;
    return bytes.subarray(0, at);
  }
}

const encoder = new TextEncoder();
/** Tag of the cookie's field, and the most octets that it and the length take. */
const COOKIE_TAG = 50;
const MAX_PREFIX_BYTES = 6;

/** Short-lived messages are cut from one piece of memory: asking for that of each costs more than all else about it. */
const SLAB_BYTES = 65_536;
let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

function room(bytes: number): Uint8Array {
  if (bytes > SLAB_BYTES) return new Uint8Array(bytes);
  if (used + bytes > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  return slab.subarray(used, used += bytes);
}

/** How replies are printed and encoded where that is prepared. */
export interface Forms<O> {
  print(reply: O): string;
  encode(reply: O): Uint8Array;
}

/** Of FindCloudlet and its like. */
export const foundForms: Forms<dme.FindCloudletReply> = {
  print: (reply) =>
    reply instanceof FoundReply ? reply.print() : JSON.stringify(toJson(dme.FindCloudletReply, reply, "dme")),
  encode: (reply) => reply instanceof FoundReply ? reply.encode() : dme.FindCloudletReply.encode(reply),
};
