import type { RateLimiter } from "../../../../shared/ratelimit/mod.ts";
import type { Operator } from "../../../../shared/operator/mod.ts";
import type { App, AppInst } from "../../../../shared/schema/mod.ts";
import type { Preparable, PreparedInstances } from "./prepared.ts";
import type { Records } from "./records.ts";
import type { CookieJar, EdgeEvents, ProvenSession, Session } from "../cookies/mod.ts";
import { clusterKeyText, createMatcher, type InstanceEntry, type Matcher, type Tables } from "../matching/mod.ts";

/** What is kept of an app. */
export type RegionApp = Pick<
  App,
  | "key"
  | "authPublicKey"
  | "officialFqdn"
  | "androidPackageName"
  | "accessPorts"
  | "deployment"
  | "qosSessionProfile"
  | "qosSessionDuration"
>;
/** What is kept of an instance. */
export type RegionAppInst =
  & Pick<AppInst, "key" | "cloudletLoc" | "uri" | "mappedPorts" | "state" | "healthCheck">
  & Preparable;
/** What the tables of this service hold. */
export type RegionTables = Tables<RegionApp, RegionAppInst>;
/** An instance in them. */
export type RegionInstance = InstanceEntry<RegionApp, RegionAppInst>;

/** What the handlers of all calls work with. */
export interface Desk {
  readonly tables: RegionTables;
  readonly matcher: Matcher<RegionInstance>;
  /** Organization of an operator code; undefined when the text is none. */
  readonly carrierOfCode: (code: string) => string | undefined;
  /** Whether devices are spread among instances that are almost equally near. */
  readonly spreadsTies: boolean;
  readonly sessions: CookieJar<Session, ProvenSession>;
  readonly edgeEvents: CookieJar<EdgeEvents>;
  /** What replies say of instances, made beforehand. */
  readonly prepared: PreparedInstances;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Where devices get the operator's location tokens; "" when there is no such server. */
  readonly tokenServerUri: string;
  /** What only the operator's network can answer. */
  readonly operator: Operator;
  /** IPv4 addresses of a name. Throws when it has none. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
  /** Limits on how often calls are made; undefined when there are none. */
  readonly limits?: RateLimiter;
  readonly records: Records;
  /** Why calls cannot be answered yet; undefined when they can. */
  readonly notReady: () => string | undefined;
}

/** The caller of a call. */
export interface Caller {
  /** IP address of the device, as its connection shows it. */
  readonly address: string;
}

/** A matcher over the region's tables. @param random spreads load among near-equal instances; undefined: it does not */
export function regionMatcher(
  random: (() => number) | undefined,
  carrierOfCode: (code: string) => string | undefined,
): Matcher<RegionInstance> {
  return createMatcher<RegionInstance>({
    text: (entry) => clusterKeyText(entry.instance.key.clusterInstKey),
    carrierOfCode,
    random,
  });
}
