import { dme, toJson } from "../../../../shared/schema/mod.ts";
import { type PreparedMembers, prepareInstance } from "../cookies/mod.ts";
import type { RegionAppInst, RegionInstance } from "./desk.ts";

/**
 * What replies to FindCloudlet say of an instance, printed and encoded when it is found for the first time. It hangs on the
 * object that replication brought, which every change of the instance replaces by another one, and is made anew when the
 * instance has got another place from its cloudlet.
 */
export interface Prepared {
  /** Where the instance was when this was made. */
  readonly place: object;
  readonly cloudletLocation: dme.Loc;
  /** What its event-stream cookies say of it. */
  readonly claims: PreparedMembers;
  /** The reply's JSON in UTF-8, before and behind the cookie. */
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  /** The reply encoded, but for the cookie. */
  readonly wire: Uint8Array;
}

/** An instance as it can be prepared. */
export interface Preparable {
  /** Absent until it was found once, and when it was long ago. */
  prepared?: Prepared;
}

/** Instances that stay prepared; at two kilobytes each this bounds the memory to some 32 MB. */
const MAX_PREPARED = 16_384;

/** What is prepared of the instances of a region: of so many as were prepared last. */
export class PreparedInstances {
  readonly #limit: number;
  /** The instances in the order in which they were prepared, round and round. They may go meanwhile. */
  readonly #kept: WeakRef<Preparable>[] = [];
  #next = 0;

  /** @param limit instances that stay prepared, at least 1 */
  constructor(limit = MAX_PREPARED) {
    this.#limit = limit;
  }

  /** What is prepared of an instance. */
  of(entry: RegionInstance): Prepared {
    const { instance } = entry;
    const { prepared } = instance;
    if (prepared !== undefined && prepared.place === entry.location) return prepared;
    this.#keep(instance);
    return instance.prepared = prepare(entry);
  }

  #keep(instance: Preparable): void {
    const oldest = this.#kept[this.#next]?.deref();
    if (oldest !== undefined) oldest.prepared = undefined;
    this.#kept[this.#next] = new WeakRef(instance);
    this.#next = (this.#next + 1) % this.#limit;
  }
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
    claims: prepareInstance({
      clusterOrganization: organization,
      clusterName: clusterKey.name,
      cloudletOrganization: cloudletKey.organization,
      cloudletName: cloudletKey.name,
    }),
    head: encoder.encode(text.slice(0, cookieAt)),
    tail: encoder.encode(text.slice(cookieAt)),
    wire: dme.FindCloudletReply.encode(reply),
  };
}

function replyOf(fqdn: string, ports: dme.AppPort[], cloudletLocation: dme.Loc, edgeEventsCookie: string) {
  return {
    ...{ ver: 0, status: dme.FindCloudletReply_FindStatus.FIND_FOUND, fqdn, ports, cloudletLocation, edgeEventsCookie },
    ...{ qosResult: dme.FindCloudletReply_QosSessionResult.QOS_NOT_ATTEMPTED, qosErrorMsg: "", tags: {} },
  };
}

/**
 * Tells a device of an instance. It is a reply as others to whoever reads it, but not to be changed nor kept for long; its forms
 * are put together of octets, most of them prepared.
 */
export class FoundReply implements dme.FindCloudletReply {
  readonly ver = 0;
  readonly status = dme.FindCloudletReply_FindStatus.FIND_FOUND;
  readonly qosResult = dme.FindCloudletReply_QosSessionResult.QOS_NOT_ATTEMPTED;
  readonly qosErrorMsg = "";
  readonly tags: Record<string, string> = {};
  readonly #instance: RegionAppInst;
  readonly #prepared: Prepared;
  readonly #cookie: Uint8Array;

  /** @param cookie for the instance's event stream; it is copied */
  constructor(instance: RegionAppInst, prepared: Prepared, cookie: Uint8Array) {
    this.#instance = instance;
    this.#prepared = prepared;
    this.#cookie = room(cookie.length);
    this.#cookie.set(cookie);
  }

  get fqdn(): string {
    return this.#instance.uri;
  }

  get ports(): dme.AppPort[] {
    return this.#instance.mappedPorts;
  }

  get cloudletLocation(): dme.Loc {
    return this.#prepared.cloudletLocation;
  }

  get edgeEventsCookie(): string {
    return decoder.decode(this.#cookie);
  }

  /** The same as a message of its own, which may be changed. */
  plain(): dme.FindCloudletReply {
    return replyOf(this.fqdn, this.ports, this.cloudletLocation, this.edgeEventsCookie);
  }

  /** As JSON of the REST form. A cookie needs no escapes. */
  print(): string {
    const { head, tail } = this.#prepared;
    const cookie = this.#cookie;
    const cookieEnd = head.length + cookie.length;
    const bytes = room(cookieEnd + tail.length);
    bytes.set(head);
    bytes.set(cookie, head.length);
    bytes.set(tail, cookieEnd);
    return decoder.decode(bytes);
  }

  /** As it is encoded; the fields before the cookie are prepared, and none follow it. */
  encode(): Uint8Array {
    const { wire } = this.#prepared;
    const cookie = this.#cookie;
    const prefixBytes = 1 + varintBytes(cookie.length);
    const bytes = room(wire.length + prefixBytes + cookie.length);
    bytes.set(wire);
    let at = wire.length;
    bytes[at++] = COOKIE_TAG;
    let rest = cookie.length;
    for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
    bytes[at++] = rest;
    bytes.set(cookie, at);
    return bytes;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const varintBytes = (value: number) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : 3;

/** Tag of the cookie's field. */
const COOKIE_TAG = 50;

/**
 * Short-lived octets are cut from one piece of memory: asking for that of each costs more than all else about it. The piece
 * is small, for it stays as long as the slowest reader of one of them.
 */
const SLAB_BYTES = 8_192;
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
