// The lookup of `bench:dme` alone: an app's candidates and the matcher, without calls around them.
import { regionMatcher } from "../../../tiers/regional/dme/api/mod.ts";
import type { RegionApp, RegionAppInst, RegionTables } from "../../../tiers/regional/dme/api/mod.ts";
import { appId, Tables } from "../../../tiers/regional/dme/matching/mod.ts";
import type { RegionInstance } from "../../../tiers/regional/dme/api/mod.ts";
import { serveCommands } from "../rpc/process.ts";
import { type Device, makeDevices } from "./devices.ts";
import {
  APP_ORGANIZATION,
  APP_VERSION,
  appOf,
  cloudletInfoOf,
  cloudletOf,
  instanceOf,
  MAIN_APP,
  makeWorld,
  OPERATORS,
} from "./world.ts";

/** Places from which is looked. */
const DEVICES = 10_000;
/** Lookups between two looks at the heap: what they allocate must fit into the young generation. */
const LOOKUPS_PER_LOOK = 10_000;

const { gc } = globalThis as unknown as { gc(): void };
const matcher = regionMatcher(Math.random, (code) => OPERATORS.find((each) => each.code === code)?.organization);
let candidates: RegionInstance["app"]["candidates"];
let devices: Device[];

function look(from: number, count: number): number {
  let km = 0;
  for (let i = 0; i < count; i++) {
    const { carrier, latitude, longitude } = devices[(from + i) % DEVICES]!;
    km += matcher.find(candidates, { carrier, latitude, longitude })?.distanceKm ?? 0;
  }
  return km;
}

await serveCommands({
  /** @param alike whether all instances lie in one place, so that every one is a candidate to the end */
  fill({ instances, alike }: { instances: number; alike: boolean }) {
    const world = makeWorld(instances);
    const tables: RegionTables = new Tables<RegionApp, RegionAppInst>();
    for (let index = 0; index < world.cloudlets; index++) {
      tables.setCloudlet(cloudletOf(world, index));
      tables.setCloudletInfo(cloudletInfoOf(index));
    }
    tables.setApp(appOf(MAIN_APP));
    const sites = world.apps.get(MAIN_APP)!;
    for (const site of sites) {
      tables.setInstance(instanceOf(alike ? { ...site, ...{ latitude: 48, longitude: 11 } } : site));
    }
    candidates = tables.app(appId(APP_ORGANIZATION, MAIN_APP, APP_VERSION))!.candidates;
    devices = makeDevices(world, DEVICES, 2);
    return look(0, LOOKUPS_PER_LOOK);
  },
  /** Time of one lookup, µs. */
  time(lookups: number) {
    const begun = performance.now();
    look(0, lookups);
    return (performance.now() - begun) / lookups * 1_000;
  },
  /** What a lookup allocates, bytes: the heap's growth over lookups between which nothing is collected. */
  allocated(lookups: number) {
    let bytes = 0;
    let done = 0;
    for (; done < lookups; done += LOOKUPS_PER_LOOK) {
      gc();
      const before = Deno.memoryUsage().heapUsed;
      look(done, LOOKUPS_PER_LOOK);
      bytes += Deno.memoryUsage().heapUsed - before;
    }
    return bytes / done;
  },
});
