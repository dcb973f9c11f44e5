import { openDns } from "../../../../shared/dns/mod.ts";
import { type Channel, createChannel, createClient, createServer, type RpcServer } from "../../../../shared/rpc/mod.ts";
import { systemClock, systemFiles, systemRandom } from "../../../../shared/runtime/mod.ts";
import {
  AlertApi,
  AppApi,
  AppInst,
  AppInstApi,
  AppInstClientApi,
  AppInstLatencyApi,
  AppInstRefsApi,
  Cloudlet,
  CloudletApi,
  CloudletInfoApi,
  CloudletRefsApi,
  CloudletResourcesApi,
  ClusterInst,
  ClusterInstApi,
  ClusterRefsApi,
  ControllerApi,
  type DeepPartial,
  DeviceApi,
  ExecApi,
  Flavor,
  FlavorApi,
  MatchApi,
  MetricsApi,
  PlatformType,
  type Result,
  SettingsApi,
  StreamObjApi,
} from "../../../../shared/schema/mod.ts";
import { openSecrets, type SecretStore } from "../../../../shared/secrets/mod.ts";
import { openStore, type Store } from "../../../../shared/store/mod.ts";
import { memoryLogger } from "../../../../shared/telemetry/mod.ts";
import type { Timeouts } from "../context.ts";
import { type Controller, type ControllerParts, startController } from "../controller.ts";
import { catalogClients } from "./catalog_clients.ts";
import { app } from "./app_samples.ts";
import { FakeSite } from "./fake_site.ts";

export { app };

/** Organization of the platform in tests. */
export const PLATFORM_ORG = "edgecloudorg";

/** Longest wait for something that must happen, in milliseconds; generous, as machines may be loaded. */
export const PATIENCE_MS = 30_000;

const TIMEOUTS: Timeouts = {
  createCloudletMs: PATIENCE_MS,
  updateCloudletMs: PATIENCE_MS,
  createClusterInstMs: PATIENCE_MS,
  updateClusterInstMs: PATIENCE_MS,
  deleteClusterInstMs: PATIENCE_MS,
  createAppInstMs: PATIENCE_MS,
  updateAppInstMs: PATIENCE_MS,
  deleteAppInstMs: PATIENCE_MS,
  cloudletMaintenanceMs: PATIENCE_MS,
  updateTrustPolicyMs: PATIENCE_MS,
  updateVmPoolMs: PATIENCE_MS,
};

/** Clients of all region APIs. */
export function apiClients(channel: Channel) {
  return {
    settings: createClient(SettingsApi, channel),
    flavors: createClient(FlavorApi, channel),
    cloudlets: createClient(CloudletApi, channel),
    cloudletInfos: createClient(CloudletInfoApi, channel),
    apps: createClient(AppApi, channel),
    cloudletResources: createClient(CloudletResourcesApi, channel),
    cloudletRefs: createClient(CloudletRefsApi, channel),
    clusterRefs: createClient(ClusterRefsApi, channel),
    appInstRefs: createClient(AppInstRefsApi, channel),
    clusters: createClient(ClusterInstApi, channel),
    instances: createClient(AppInstApi, channel),
    ...catalogClients(channel),
    controllers: createClient(ControllerApi, channel),
    streams: createClient(StreamObjApi, channel),
    alerts: createClient(AlertApi, channel),
    devices: createClient(DeviceApi, channel),
    metrics: createClient(MetricsApi, channel),
    clients: createClient(AppInstClientApi, channel),
    latencies: createClient(AppInstLatencyApi, channel),
    matches: createClient(MatchApi, channel),
    exec: createClient(ExecApi, channel),
  };
}

/** What a test may choose. */
export interface WorldOptions {
  /** @default a store in memory, which dies with the world */
  store?: Store;
  timeouts?: Partial<Timeouts>;
  /** Folder in which secrets are kept. @default nowhere */
  secrets?: string;
  parts?: Partial<ControllerParts>;
  /** @default any free ones */
  ports?: { api: number; notify: number };
}

/** A controller with its servers in this process, clients of its APIs, and fake sites. */
export class World implements AsyncDisposable {
  readonly store: Store;
  readonly controller: Controller;
  readonly api: ReturnType<typeof apiClients>;
  readonly apiAddress: string;
  readonly notifyAddress: string;
  readonly log: ReturnType<typeof memoryLogger>;
  readonly #servers: readonly RpcServer[];
  readonly #channel: Channel;
  readonly #sites: FakeSite[] = [];
  readonly #ownsStore: boolean;

  static async start(options: WorldOptions = {}): Promise<World> {
    const store = options.store ?? await openStore("sqlite::memory:");
    const log = memoryLogger();
    const controller = await startController({
      region: "eu",
      id: "one",
      store,
      ...(options.secrets !== undefined && { secrets: await openTestSecrets(options.secrets) }),
      dns: openDns("localhost:"),
      dnsRoot: "archipelago.localhost",
      platformOrg: PLATFORM_ORG,
      timeouts: { ...TIMEOUTS, ...options.timeouts },
      streamGraceMs: 200,
      siteGraceMs: 200,
      clock: systemClock(),
      random: systemRandom(),
      log: log.log,
      ...options.parts,
    });
    const api = createServer();
    controller.serveApis(api);
    const notify = createServer();
    controller.hub.serve(notify, (_, hello) => hello.cloudlet === "" ? {} : { scope: hello.cloudlet });
    const apiAt = await api.listen({ hostname: "127.0.0.1", port: options.ports?.api ?? 0 });
    const notifyAt = await notify.listen({ hostname: "127.0.0.1", port: options.ports?.notify ?? 0 });
    return new World(
      store,
      controller,
      [api, notify],
      log,
      `127.0.0.1:${apiAt.port}`,
      `127.0.0.1:${notifyAt.port}`,
      options.store === undefined,
    );
  }

  private constructor(
    store: Store,
    controller: Controller,
    servers: readonly RpcServer[],
    log: ReturnType<typeof memoryLogger>,
    apiAddress: string,
    notifyAddress: string,
    ownsStore: boolean,
  ) {
    this.store = store;
    this.controller = controller;
    this.log = log;
    this.#servers = servers;
    this.apiAddress = apiAddress;
    this.#channel = createChannel({ address: apiAddress });
    this.api = apiClients(this.#channel);
    this.notifyAddress = notifyAddress;
    this.#ownsStore = ownsStore;
  }

  /** A site that is not connected yet. */
  site(name = "Edge", organization = "Bayline Inc."): FakeSite {
    const site = new FakeSite(this.notifyAddress, "eu", { organization, name });
    this.#sites.push(site);
    return site;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const site of this.#sites) await site.stop();
    this.#channel.close();
    await this.controller.close();
    for (const server of this.#servers) await server.close();
    if (this.#ownsStore) await this.store.close();
  }
}

/** The secrets in a folder. */
export function openTestSecrets(folder: string): Promise<SecretStore> {
  return openSecrets(`file:${folder}/secrets`, {
    files: systemFiles(),
    clock: systemClock(),
    random: systemRandom(),
    environment: { get: () => undefined },
  });
}

/** A flavor, a cloudlet with a ready site, and an app of deployment process. */
export async function furnish(world: World, options: { site?: FakeSite } = {}): Promise<FakeSite> {
  await world.api.flavors.createFlavor(flavor());
  const site = options.site ?? world.site();
  site.start().ready();
  await lines(world.api.cloudlets.createCloudlet(cloudlet()));
  await world.api.apps.createApp(app());
  return site;
}

/** A small flavor. */
export function flavor(name = "small"): Flavor {
  return Flavor.create({ key: { name }, ram: 1024, vcpus: 1, disk: 1 });
}

/** A cloudlet for processes. */
export function cloudlet(more: DeepPartial<Cloudlet> = {}): Cloudlet {
  return Cloudlet.create({
    key: { organization: "Bayline Inc.", name: "Edge" },
    location: { latitude: 52.5, longitude: 13.4 },
    numDynamicIps: 10,
    platformType: PlatformType.PLATFORM_TYPE_PROCESS,
    envVar: { PUBLIC_PORT_RANGE: "21000-21009" },
    ...more,
  });
}

/** The instance of {@linkcode app} on {@linkcode cloudlet}. */
export function instance(more: DeepPartial<AppInst["key"]> = {}): AppInst {
  return AppInst.create({
    key: {
      appKey: { organization: "AtlasWorks", name: "Echo", version: "1.0" },
      clusterInstKey: { cloudletKey: { organization: "Bayline Inc.", name: "Edge" } },
      ...more,
    },
  });
}

/** A docker cluster on a cloudlet. */
export function cluster(cloudletName: string): ClusterInst {
  return ClusterInst.create({
    key: {
      clusterKey: { name: "alpha" },
      cloudletKey: { organization: "Bayline Inc.", name: cloudletName },
      organization: "AtlasWorks",
    },
    flavor: { name: "small" },
  });
}

/** Texts of all results of a call. */
export async function lines(results: AsyncIterable<Result>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { message } of results) texts.push(message);
  return texts;
}

/** All objects that a show call gives. */
export async function all<T>(objects: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const object of objects) list.push(object);
  return list;
}

/** Waits until `condition` gives something other than undefined or false. */
export async function until<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  what: string,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
