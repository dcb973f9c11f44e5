import {
  createNotifyHub,
  type NotifyHub,
  onOwnedObject,
  publishObject,
  retractObject,
} from "../../../../shared/notify/mod.ts";
import { verifyPeer } from "../../../../shared/identity/mod.ts";
import { authenticate, createServer, type RpcServer } from "../../../../shared/rpc/mod.ts";
import { until } from "../../../../shared/platform/testing/mod.ts";
import {
  type Alert,
  AlertKind,
  App,
  AppInst,
  type AppInstInfo,
  AppInstInfoKind,
  AppInstKind,
  AppKind,
  Cloudlet,
  type CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
  ClusterInst,
  type ClusterInstInfo,
  ClusterInstInfoKind,
  type ClusterInstKey,
  ClusterInstKind,
  type DeepPartial,
  type dme,
  Flavor,
  FlavorKind,
  PlatformType,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { WANTED_KINDS } from "../replicas.ts";

/** Key of the site. */
export const cloudletKey = { organization: "op", name: "site", federatedOrganization: "" };
/** Key of the app of all instances. */
export const appKey = { organization: "dev", name: "app", version: "1" };
/** Key of the cluster of the first instance. */
export const clusterKey = { clusterKey: { name: "one" }, cloudletKey, organization: "dev" };

/** Keys of instances; each but the first runs in a cluster of another organization. */
export function instanceKey(number: number) {
  const organization = number === 1 ? "dev" : `dev${number}`;
  return {
    appKey: { organization: "dev", name: "app", version: "1" },
    clusterInstKey: { ...clusterKey, organization },
  };
}

/** Key string of an instance. */
export function keyString(number: number): string {
  return AppInstKind.keyString(instanceKey(number));
}

/** A controller that only replicates, with a log of what it is told. */
export class Region {
  readonly hub: NotifyHub;
  readonly cloudlet: CloudletInfo[] = [];
  readonly clusters: ClusterInstInfo[] = [];
  readonly instances: AppInstInfo[] = [];
  readonly retracted: string[] = [];
  /** Alerts by key. */
  readonly alerts = new Map<string, Alert>();
  readonly #server: RpcServer;
  address = "";
  #births = 0;

  /** With `tls`, children have to show a certificate of the cloudlet's resource manager. */
  constructor(tls?: { cert: string; key: string; ca: string }) {
    this.hub = createNotifyHub({ service: "controller", region: "local", kinds: WANTED_KINDS, graceMs: 0 });
    const rule = [{ tier: "cloudlet", region: "local", cloudlet: cloudletKey, services: ["crm"] }] as const;
    this.#server = createServer(
      tls ? { tls, interceptors: [authenticate((peer) => verifyPeer(peer.certificates, rule, Date.now()))] } : {},
    );
    this.hub.serve(this.#server, () => ({ scope: CloudletKind.keyString(cloudletKey) }));
    const remove = (key: string) => void this.retracted.push(key);
    onOwnedObject(this.hub, CloudletInfoKind, { update: (info) => void this.cloudlet.push(info), remove() {} });
    onOwnedObject(this.hub, ClusterInstInfoKind, { update: (info) => void this.clusters.push(info), remove });
    onOwnedObject(this.hub, AppInstInfoKind, {
      update: (info) => void this.instances.push(info),
      remove: (key, _child, reason) => reason === "deleted" && remove(key),
    });
    onOwnedObject(this.hub, AlertKind, {
      update: (alert, key) => void this.alerts.set(key, alert),
      remove: (key) => void this.alerts.delete(key),
    });
  }

  async start(): Promise<void> {
    const { hostname, port } = await this.#server.listen({ hostname: "127.0.0.1", port: 0 });
    this.address = `${hostname}:${port}`;
    publishObject(this.hub, FlavorKind, Flavor.create({ key: { name: "small" }, ram: 64, vcpus: 1, disk: 1 }));
    this.app({ deployment: "docker", imagePath: "image:1" });
    this.cluster(TrackedState.READY);
  }

  /** Publishes the app of all instances. */
  app(changes: Parameters<typeof App.create>[0]): void {
    publishObject(this.hub, AppKind, App.create({ key: appKey, ...changes }));
  }

  site(changes: Parameters<typeof Cloudlet.create>[0] = {}): void {
    const platformType = PlatformType.PLATFORM_TYPE_DOCKER;
    publishObject(this.hub, CloudletKind, Cloudlet.create({ key: cloudletKey, platformType, ...changes }));
  }

  /** Publishes a cluster, that of the first instance unless another key is given. */
  cluster(state: TrackedState, key: DeepPartial<ClusterInstKey> = clusterKey): void {
    const cluster = ClusterInst.create({ key, flavor: { name: "small" }, state, deployment: "docker" });
    publishObject(this.hub, ClusterInstKind, cluster);
  }

  /** Publishes an instance; a new birth makes it another object. */
  instance(number: number, state: TrackedState, birth = 1, changes: Parameters<typeof AppInst.create>[0] = {}): void {
    publishObject(
      this.hub,
      AppInstKind,
      AppInst.create({
        key: instanceKey(number),
        flavor: { name: "small" },
        state,
        uniqueId: `app-${number}`,
        createdAt: { seconds: birth, nanos: 0 },
        updatedAt: { seconds: ++this.#births, nanos: 0 },
        ...changes,
      }),
    );
  }

  forget(number: number): void {
    retractObject(this.hub, AppInstKind, instanceKey(number));
  }

  /** What was told last of an instance. */
  told(number: number): AppInstInfo | undefined {
    const key = keyString(number);
    return this.instances.filter((info) => AppInstKind.keyString(info.key) === key).at(-1);
  }

  async tells(number: number, state: TrackedState, health?: dme.HealthCheck): Promise<AppInstInfo> {
    await until(`instance ${number} is told to be in state ${state}`, () => {
      const told = this.told(number);
      return told?.state === state && (health === undefined || told.healthCheck === health);
    });
    return this.told(number)!;
  }

  async close(): Promise<void> {
    this.hub.close();
    await this.#server.close();
  }
}
