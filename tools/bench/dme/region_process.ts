// The controller of `bench:dme`: replicates a region over notify with mutual TLS, and changes it.
import {
  AppInst,
  AppInstKind,
  Cloudlet,
  CloudletKind,
  dme,
  FlowRateLimitSettings,
  FlowRateLimitSettingsKind,
  OperatorCode,
  OperatorCodeKind,
  Settings,
  SettingsKind,
} from "../../../shared/schema/mod.ts";
import { type TestController, testController, testPlatform } from "../../../tiers/regional/dme/testing/controller.ts";
import { serveCommands, wallMs } from "../rpc/process.ts";
import { seededRandom } from "./random.ts";
import {
  appOf,
  cloudletInfoOf,
  cloudletOf,
  instanceOf,
  MAIN_APP,
  makeWorld,
  MARKER_APP,
  operatorCodes,
  rateLimits,
  type Site,
  STREAM_APP,
  type World,
} from "./world.ts";

const REGION = "bench";

const platform = await testPlatform(REGION);
const controller: TestController = await testController(platform, REGION);
const { hub } = controller;
let world: World;
let storms = 0;
let prepared: [key: string, value: Uint8Array][] = [];

function fill(): void {
  const settings = Settings.create({ maxTrackedDmeClients: 100 });
  hub.publish(SettingsKind.kind, SettingsKind.keyString({}), Settings.encode(settings));
  for (const code of operatorCodes()) {
    hub.publish(OperatorCodeKind.kind, OperatorCodeKind.keyString({ code: code.code }), OperatorCode.encode(code));
  }
  for (const limit of rateLimits()) {
    const key = FlowRateLimitSettingsKind.keyString(limit.key);
    hub.publish(FlowRateLimitSettingsKind.kind, key, FlowRateLimitSettings.encode(limit));
  }
  for (let index = 0; index < world.cloudlets; index++) {
    controller.putCloudlet(cloudletOf(world, index));
    controller.putCloudletInfo(cloudletInfoOf(index));
  }
  for (const [app, sites] of world.apps) {
    controller.putApp(appOf(app));
    for (const site of sites) controller.putAppInst(instanceOf(site));
  }
  hub.markReady();
}

/** Encoded beforehand, so that the storm is as sudden as it can be. */
function changesOf(round: number, count: number): [key: string, value: Uint8Array][] {
  const sites = world.apps.get(MAIN_APP)!;
  const random = seededRandom(7 + round);
  return Array.from({ length: count }, (_, at) => {
    // Every second storm undoes the one before.
    const site = sites[at % sites.length]!;
    const object = instanceOf(site, round % 2 === 0 ? changeOf(site, at, random) : {});
    return [AppInstKind.keyString(object.key), AppInst.encode(object)];
  });
}

/** A half has other ports, a quarter fails, a quarter moves. */
function changeOf({ uri, latitude, longitude }: Site, at: number, random: () => number) {
  switch (at % 4) {
    case 0:
      return { healthCheck: dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL };
    case 1: {
      const moved = dme.Loc.create({ latitude: latitude * 0.99, longitude: longitude * (0.99 + random() / 100) });
      return { cloudletLoc: moved };
    }
    default:
      return { uri: `new-${uri}` };
  }
}

await serveCommands({
  /** @returns The engine's arguments, and what it may read. */
  start(instances: number) {
    world = makeWorld(instances);
    fill();
    return {
      args: [...platform.dmeArgs, "--notify-addrs", controller.address],
      folder: platform.folder,
      ca: platform.ca.rootPem,
    };
  },
  /** Encodes the next storm: what the marker behind it will say. */
  prepare(count: number) {
    const round = storms++;
    prepared = changesOf(round, count);
    const marker = instanceOf(world.apps.get(MARKER_APP)![0]!, { uri: `storm-${round}.example.net` });
    prepared.push([AppInstKind.keyString(marker.key), AppInst.encode(marker)]);
    return marker.uri;
  },
  /** Changes instances of the main app, and the marker last: when it began. */
  storm() {
    const begun = wallMs();
    for (const [key, value] of prepared) hub.publish(AppInstKind.kind, key, value);
    return begun;
  },
  /** Changes the cloudlet of the first instance with event streams: when. @param state one that is told without a replacement */
  maintain(state: dme.MaintenanceState) {
    const { cloudlet } = world.apps.get(STREAM_APP)![0]!;
    const object = cloudletOf(world, cloudlet, state);
    const begun = wallMs();
    hub.publish(CloudletKind.kind, CloudletKind.keyString(object.key), Cloudlet.encode(object));
    return begun;
  },
  async leave() {
    await controller.close();
    await platform.close();
  },
});
