import type { WantedPort } from "./connect.ts";
import { endpointOf } from "./connect.ts";
import { type Instance, instanceFromJson, type Site, siteFromJson } from "./instance.ts";
import { objectsOf } from "./json.ts";
import { type Place, placeToJson } from "./place.ts";
import { compareLatency, type LatencyStatistics, type Probe, statisticsOf } from "./probe.ts";
import type { Rest } from "./rest.ts";
import type { Session } from "./session.ts";

/** Samples of an instance in performance mode, and how long one may take, ms. */
const SEARCH_SAMPLES = 3;
/** How long a sample may take, ms. */
export const SAMPLE_TIMEOUT_MS = 2_000;

/** `proximity`: the region's choice is final. `performance`: the device measures the nearest ones and takes the quickest. */
export type SearchMode = "proximity" | "performance";

/** How a search is made. */
export interface SearchOptions {
  /** @default "proximity" */
  readonly mode?: SearchMode;
  /** The port that is measured in performance mode. @default the first TCP port */
  readonly port?: WantedPort;
  /** The device's IPv4 address, for priority sessions of apps that have a profile. */
  readonly deviceAddress?: string;
  readonly signal?: AbortSignal;
}

/** Parts of a search. */
export interface SearchParts {
  readonly rest: Rest;
  readonly session: Session;
  readonly carrier: string;
  readonly probe: Probe;
}

/** An instance that was found. */
export interface FoundInstance extends Instance {
  /** What was measured, in performance mode. */
  readonly latency?: LatencyStatistics;
}

/** Finds the instance to use; undefined when there is none. @throws {MatchError} */
export async function findInstance(
  parts: SearchParts,
  place: Place,
  options: SearchOptions = {},
): Promise<FoundInstance | undefined> {
  if (options.mode === "performance") return await findQuickest(parts, place, options);
  const { rest, session, carrier } = parts;
  const reply = await session.withCookie((session_cookie) =>
    rest.call("FindCloudlet", {
      session_cookie,
      carrier_name: carrier,
      gps_location: placeToJson(place),
      tags: deviceTags(options),
    }, options.signal)
  );
  return instanceFromJson(reply);
}

/** How a list is made. */
export interface ListOptions extends Pick<SearchOptions, "deviceAddress" | "signal"> {
  /** Most instances, all cloudlets together. @default 3, by the region */
  readonly limit?: number;
}

/** The nearest cloudlets with their instances, best first. @throws {MatchError} */
export async function listInstances(
  { rest, session, carrier }: SearchParts,
  place: Place,
  options: ListOptions = {},
): Promise<Site[]> {
  const reply = await session.withCookie((session_cookie) =>
    rest.call("GetAppInstList", {
      session_cookie,
      carrier_name: carrier,
      gps_location: placeToJson(place),
      limit: options.limit,
      tags: deviceTags(options),
    }, options.signal)
  );
  return reply.status === "Success" ? objectsOf(reply.cloudlets).map(siteFromJson) : [];
}

function deviceTags({ deviceAddress }: Pick<SearchOptions, "deviceAddress">): Record<string, string> | undefined {
  return deviceAddress === undefined ? undefined : { ip_user_equipment: deviceAddress };
}

/** Measures the nearest instances that have ports, all at once, and takes the quickest. */
async function findQuickest(
  parts: SearchParts,
  place: Place,
  options: SearchOptions,
): Promise<FoundInstance | undefined> {
  const sites = await listInstances(parts, place, options);
  const measured = await Promise.all(
    sites.flatMap(({ instances }) => instances).filter(({ ports }) => ports.length > 0).map(async (instance) => {
      const endpoint = endpointOf(instance, options.port);
      const values = endpoint === undefined ? [] : await parts.probe(endpoint, {
        samples: SEARCH_SAMPLES,
        timeoutMs: SAMPLE_TIMEOUT_MS,
        signal: options.signal,
      });
      return { ...instance, latency: statisticsOf(values) };
    }),
  );
  // Stable: where nothing tells them apart (none was reached), the region's order holds.
  return measured.sort((a, b) => compareLatency(a.latency, b.latency))[0];
}
