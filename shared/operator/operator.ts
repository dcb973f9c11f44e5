import type { Channel } from "../rpc/mod.ts";
import type { dme } from "../schema/mod.ts";
import type { Logger } from "../telemetry/mod.ts";

/** What a plugin says of itself. */
export interface OperatorMeta {
  /** Name by which the matching engine is told to use it. */
  readonly name: string;
  readonly description: string;
  /** Settings that it takes: name, meaning, and whether it cannot do without. */
  readonly settings: readonly { readonly name: string; readonly doc: string; readonly required?: boolean }[];
}

/** What a plugin is given. It reaches nothing else. */
export interface OperatorContext {
  /** Values of its settings, as the operator's staff wrote them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where devices get location tokens; empty: there is no such server. */
  readonly tokenServerUri: string;
  readonly fetch: typeof fetch;
  /** A secret of the plugin, by name; undefined when there is none. Read it when it is needed: it may change. */
  secret(name: string): Promise<string | undefined>;
  /** A gRPC channel to `host:port` that shows the engine's certificate; the plugin closes it. */
  connect(address: string): Channel;
  /** Milliseconds since 1970. */
  now(): number;
  randomBytes(count: number): Uint8Array;
  readonly log: Logger;
}

/** A quality-of-service session that a device is to get. Addresses are dotted IPv4, as the matching engine has checked. */
export interface PrioritySession {
  readonly profile: dme.QosSessionProfile;
  readonly durationSeconds: number;
  readonly deviceAddress: string;
  readonly serverAddress: string;
  /** Empty, single ports, lists or ranges. */
  readonly devicePorts: string;
  readonly serverPorts: string;
  readonly protocolIn: dme.QosSessionProtocol;
  readonly protocolOut: dme.QosSessionProtocol;
  readonly notificationUri: string;
  readonly notificationToken: string;
}

/** A session as the operator has made or kept it. */
export interface GrantedSession {
  readonly id: string;
  readonly profile: dme.QosSessionProfile;
  readonly durationSeconds: number;
  /** Seconds since 1970. */
  readonly startedAt: number;
  readonly expiresAt: number;
  /** An equal session was there already. */
  readonly kept: boolean;
}

/** Priority in an operator's network. All methods throw RpcErrors. */
export interface QosSessions {
  create(session: PrioritySession): Promise<GrantedSession>;
  delete(profile: dme.QosSessionProfile, id: string): Promise<"deleted" | "not found" | "unknown">;
}

/**
 * What only an operator's network can answer. Requests are checked before they come here: places are there and in range.
 * All methods throw RpcErrors, and each bounds its own time: a slow network must not hold a device for ever.
 */
export interface Operator {
  /** Shown to people: versions and addresses of what is behind it, never secrets. */
  readonly properties: Readonly<Record<string, string>>;
  /** Whether the device is where it says. */
  verifyLocation(request: dme.VerifyLocationRequest): Promise<dme.VerifyLocationReply>;
  /** Where the device is. */
  getLocation(request: dme.GetLocationRequest): Promise<dme.GetLocationReply>;
  /** Quality of the network at places, in as many replies as it takes. */
  qosPositionKpi(request: dme.QosPositionRequest): AsyncIterable<dme.QosPositionKpiReply>;
  /** Absent: the operator grants no priority. */
  readonly sessions?: QosSessions;
  close(): Promise<void>;
}

/** What a plugin's module exports as its default. */
export interface OperatorPlugin {
  readonly meta: OperatorMeta;
  /** Makes it ready. Throws with what is wrong when its settings cannot be used. */
  open(context: OperatorContext): Promise<Operator>;
}
