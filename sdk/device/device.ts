import { type SdkClock, webClock } from "./clock.ts";
import type { EdgeEvents, EdgeParts } from "./edge/session.ts";
import { followInstance } from "./edge/session.ts";
import type { EdgeOptions } from "./edge/options.ts";
import { eventSourceCarrier } from "./edge/event_source.ts";
import { type SocketMaker, webSocketCarrier } from "./edge/web_socket.ts";
import type { AppKey, Site } from "./instance.ts";
import { getLocation, type NetworkLocation, type VerifiedLocation, verifyLocation } from "./location.ts";
import { findInstance, type FoundInstance, listInstances, type ListOptions, type SearchOptions } from "./matching.ts";
import type { Place } from "./place.ts";
import { fetchProbe, type Probe } from "./probe.ts";
import {
  createPriority,
  deletePriority,
  forecast,
  type ForecastOptions,
  type PriorityRequest,
  type PrioritySession,
  type QosForecast,
} from "./qos.ts";
import { createRest, type Fetch } from "./rest.ts";
import { createSession, type DeviceIdentity, type Registration } from "./session.ts";
import type { QosDeletion } from "./texts.ts";

/** What a device is made of. */
export interface DeviceOptions {
  /** `https://HOST:PORT` of the matching engine's REST form; see `matchingEngineUrl`. */
  readonly url: string;
  readonly app: AppKey;
  /** Organization or code of the operator whose instances are wanted. @default "", any */
  readonly carrier?: string;
  /** Token by which the app's own back-end vouches for it, where the app has a public key; asked for at registration. */
  readonly authToken?: string | (() => string | Promise<string>);
  /** Who the device is. @default the region makes an identity */
  readonly identity?: DeviceIdentity;
  /** How long a call may take, ms. @default 10000 */
  readonly timeoutMs?: number;
  /** @default the runtime's */
  readonly fetch?: Fetch;
  /** Makes WebSockets; `null` where none are to be used. @default the runtime's, where it has them */
  readonly webSocket?: SocketMaker | null;
  /** @default the runtime's */
  readonly clock?: SdkClock;
  /** 0 to 1. @default Math.random */
  readonly random?: () => number;
  /** How latencies are measured. @default by HTTP, see `fetchProbe` */
  readonly probe?: Probe;
}

/** A device, as the platform sees it. Every call registers first where that is needed, and throws MatchError. */
export interface Device {
  /** Starts a session, or a new one. Calls do it by themselves. */
  register(): Promise<Registration>;
  /** Finds the instance to use from a place; undefined when there is none. */
  findCloudlet(place: Place, options?: SearchOptions): Promise<FoundInstance | undefined>;
  /** The nearest cloudlets with their instances, best first. */
  getAppInstList(place: Place, options?: ListOptions): Promise<Site[]>;
  /** Follows an instance: what happens to it, and where to go then. The stream is opened at once, and kept open. */
  followEdgeEvents(instance: FoundInstance, options?: EdgeOptions): EdgeEvents;
  /** Has a place verified by the operator's network. @param token of its token server; fetched there when not given */
  verifyLocation(place: Place, token?: string): Promise<VerifiedLocation>;
  /** Asks the operator's network where the device is. */
  getLocation(): Promise<NetworkLocation>;
  /** Asks what the network is expected to give at places. */
  getQosForecast(places: readonly Place[], options?: ForecastOptions): Promise<QosForecast[]>;
  /** Creates a priority session, or keeps the one there is. */
  createPrioritySession(wanted: PriorityRequest): Promise<PrioritySession>;
  /** Deletes a priority session. */
  deletePrioritySession(session: Pick<PrioritySession, "id" | "profile">): Promise<QosDeletion>;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** Makes a device; nothing is sent before its first call. */
export function createDevice(options: DeviceOptions): Device {
  // Not the function itself: a browser's fetch must not be called as a method of something else.
  const { clock = webClock, fetch = (url, init) => globalThis.fetch(url, init), carrier = "" } = options;
  const rest = createRest({ url: options.url, fetch, clock, timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS });
  const { app, authToken, identity } = options;
  const session = createSession({ rest, app, authToken, identity });
  const probe = options.probe ?? fetchProbe(fetch, clock);
  const parts = { rest, session, carrier, probe };
  let lastPlace: Place | undefined;

  const findCloudlet: Device["findCloudlet"] = (place, search) => {
    lastPlace = place;
    return findInstance(parts, place, search);
  };
  const makeSocket = options.webSocket === undefined ? runtimeSocket() : options.webSocket;
  const streamUrl = rest.url("StreamEdgeEvent");
  const edge: EdgeParts = {
    clock,
    random: options.random ?? Math.random,
    probe,
    carrier,
    sessionCookie: async () => (await session.current()).sessionCookie,
    find: findCloudlet,
    forms: makeSocket === null ? ["server-sent-events"] : ["websocket", "server-sent-events"],
    openers: {
      "websocket": makeSocket === null ? noSockets : webSocketCarrier(makeSocket, streamUrl),
      "server-sent-events": eventSourceCarrier(fetch, streamUrl, clock),
    },
  };
  return {
    register: () => session.register(),
    findCloudlet,
    getAppInstList: (place, list) => listInstances(parts, place, list),
    followEdgeEvents: (instance, how = {}) => followInstance(edge, instance, lastPlace, how),
    verifyLocation: (place, token) => verifyLocation(parts, place, token),
    getLocation: () => getLocation(parts),
    getQosForecast: (places, how) => forecast(parts, places, how),
    createPrioritySession: (wanted) => createPriority(parts, wanted),
    deletePrioritySession: (which) => deletePriority(parts, which),
  };
}

/** WebSockets of the runtime; Node has none before version 22. */
function runtimeSocket(): SocketMaker | null {
  return typeof globalThis.WebSocket === "function" ? (url) => new WebSocket(url) : null;
}

function noSockets(): never {
  throw new Error("This device has no WebSockets: give `webSocket`, or leave the form out");
}
