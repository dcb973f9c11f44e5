// The region of the specification's golden cases (DME specification 10.1), for tests.
import type { AppShape, CloudletShape, InstanceShape } from "./objects.ts";
import { clusterKeyText } from "./objects.ts";
import { createMatcher, type Matcher } from "./matcher.ts";
import { type InstanceEntry, Tables } from "./tables.ts";

export type Entry = InstanceEntry<AppShape, InstanceShape>;

export const SITES: readonly [name: string, carrier: string, uri: string, latitude: number, longitude: number][] = [
  ["north-1", "northtel", "10.1.10.1", 50.7374, 7.0982],
  ["north-2", "northtel", "11.1.11.1", 52.7374, 13.4050],
  ["north-3", "northtel", "12.1.12.1", 48.1351, 11.5820],
  ["west-1", "westtel", "13.1.13.1", 47.6062, 122.3321],
  ["south-1", "southtel", "14.1.13.1", -50.1101, -100.2201],
  ["south-2", "southtel", "14.1.13.2", -50.1102, -100.2202],
];

export const APPS: readonly [organization: string, name: string, version: string][] = [
  ["acme", "alpha", "1.1"],
  ["bravo", "bravo", "2.1"],
  ["bravo", "charlie", "1.0"],
  ["delta", "delta", "1.7"],
  ["echo", "echo", "1"],
  ["platos", "PlatosEnablingLayer", "1.1"],
];

export function cloudletKey(organization: string, name: string): CloudletShape["key"] {
  return { organization, name, federatedOrganization: "" };
}

export function cloudlet(organization: string, name: string, latitude: number, longitude: number): CloudletShape {
  const allianceOrgs = name === "north-2" ? ["westtel"] : [];
  return { key: cloudletKey(organization, name), location: { latitude, longitude }, maintenanceState: 0, allianceOrgs };
}

export function instance(
  [organization, name, version]: readonly [string, string, string],
  cloudletOrg: string,
  cloudletName: string,
  latitude: number,
  longitude: number,
  uri = `${name}.${cloudletName}`,
): InstanceShape {
  return {
    key: {
      appKey: { organization, name, version },
      clusterInstKey: {
        clusterKey: { name: "testcluster" },
        cloudletKey: cloudletKey(cloudletOrg, cloudletName),
        organization,
      },
    },
    cloudletLoc: { latitude, longitude },
    uri,
    state: 5,
    healthCheck: 3,
  };
}

/** Adds a ready cloudlet with one instance of the app. */
export function addSite(
  tables: Tables,
  app: readonly [string, string, string],
  carrier: string,
  name: string,
  latitude: number,
  longitude: number,
): void {
  tables.setCloudlet(cloudlet(carrier, name, latitude, longitude));
  tables.setCloudletInfo({ key: cloudletKey(carrier, name), state: 2 });
  tables.setInstance(instance(app, carrier, name, latitude, longitude));
}

export function goldenTables(): Tables {
  const tables = new Tables();
  for (const [organization, name, version] of APPS) tables.setApp({ key: { organization, name, version } });
  for (const [name, carrier, uri, latitude, longitude] of SITES) {
    tables.setCloudlet(cloudlet(carrier, name, latitude, longitude));
    tables.setCloudletInfo({ key: cloudletKey(carrier, name), state: 2 });
    for (const app of APPS) tables.setInstance(instance(app, carrier, name, latitude, longitude, uri));
  }
  tables.removeInstance(instance(APPS[0]!, "northtel", "north-1", 0, 0).key);
  return tables;
}

export function matcher(random?: () => number, codes: Record<string, string> = {}): Matcher<Entry> {
  return createMatcher<Entry>({
    text: (entry) => clusterKeyText(entry.instance.key.clusterInstKey),
    carrierOfCode: (code) => codes[code],
    random,
  });
}

export function siteOf(entry: Entry): string {
  return entry.instance.key.clusterInstKey.cloudletKey.name;
}

/** Numbers from 0 up to 1 that a seed decides (mulberry32). */
export function mulberry(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
