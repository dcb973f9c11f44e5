import type { Clock, RandomSource } from "../../../../shared/runtime/mod.ts";
import {
  type AppInstInfo,
  AppInstKind,
  type CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
  type ClusterInstInfo,
  ClusterInstKind,
  dme,
  equal,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { removeAppInst } from "../api/app_inst/remove.ts";
import { removeClusterInst } from "../api/cluster_inst/admit.ts";
import type { AlertSink } from "../alerts/alerts.ts";
import { clearOffline, raiseOffline } from "../alerts/offline.ts";
import { persist } from "../persist.ts";
import { KeyedQueue } from "../operations/keyed_queue.ts";
import type { Operations } from "../operations/operations.ts";
import {
  applyAppInstInfo,
  applyCloudletInfo,
  applyClusterInstInfo,
  storedCloudletInfo,
} from "../operations/site_report.ts";
import { isGone } from "../operations/transitions.ts";
import type { Region } from "../state/region.ts";
import { cloudletRefsRow } from "../state/rows.ts";

const OFFLINE = dme.CloudletState.CLOUDLET_STATE_OFFLINE;
const READY = dme.CloudletState.CLOUDLET_STATE_READY;

/** What {@linkcode SiteReports} works with. */
export interface SiteReportsOptions {
  readonly region: Region;
  readonly operations: Operations;
  readonly alerts: AlertSink;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  /** Identity of this controller, noted with what its sites report. */
  readonly controller: string;
}

/**
 * Applies what sites report to the objects of the region. Reports are states, so of several about one object only the
 * last has to be applied; one that the store does not take is tried until it does.
 */
export class SiteReports {
  readonly #options: SiteReportsOptions;
  readonly #queue: KeyedQueue;
  /** Sites that are connected here, with their last report. */
  readonly #sites = new Map<string, { info: CloudletInfo; notifyId: number }>();
  /** Instances of connected sites, with the last report. */
  readonly #instances = new Map<string, AppInstInfo>();
  readonly #unsubscribe: () => void;
  readonly #stop = new AbortController();

  constructor(options: SiteReportsOptions) {
    this.#options = options;
    this.#queue = new KeyedQueue((task) => persist(options, "Report of a site", task, this.#stop.signal));
    this.#unsubscribe = options.region.cache.subscribe(({ objects }) => {
      for (const { kind, keyString, old } of objects) {
        // A site may have reported before its cloudlet was created here (anew).
        const site = kind.kind === CloudletKind.kind && old === undefined ? this.#sites.get(keyString) : undefined;
        if (site) this.cloudlet(keyString, site.info, site.notifyId);
      }
    });
  }

  /** Drops what was not applied yet: sites tell it again to the next controller. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#unsubscribe();
    await this.#queue.settled();
  }

  /** Whether the site is connected to this controller. */
  isConnected(cloudletKey: string): boolean {
    return this.#sites.has(cloudletKey);
  }

  /** Runs a task that stores what a site reported, after earlier ones of the name, until the store takes it. */
  submit(name: string, task: () => Promise<void>): void {
    this.#queue.submit(name, task);
  }

  clusterInst(key: string, info: ClusterInstInfo): void {
    const { region, operations } = this.#options;
    operations.report(ClusterInstKind, key, info.status);
    this.#queue.submit(`ClusterInst/${key}`, () =>
      region.change(async (tx) => {
        const cluster = await tx.get(ClusterInstKind, key);
        if (cluster === undefined) return;
        const effect = applyClusterInstInfo(cluster, info);
        if (effect === "changed") tx.put(ClusterInstKind, cluster);
        if (effect === "remove") await removeClusterInst(tx, cluster);
      }));
  }

  appInst(key: string, info: AppInstInfo): void {
    const { region, operations } = this.#options;
    this.#instances.set(key, info);
    operations.report(AppInstKind, key, info.status);
    // Only the end of an instance touches what it shares with others.
    const cloudlet = CloudletKind.keyString(info.key.clusterInstKey.cloudletKey);
    const queue = isGone(info.state) ? cloudletRefsRow(cloudlet) : undefined;
    this.#queue.submit(`AppInst/${key}`, () =>
      region.change(async (tx) => {
        const instance = await tx.get(AppInstKind, key);
        if (instance === undefined) return;
        const effect = applyAppInstInfo(instance, info);
        if (effect === "changed") tx.put(AppInstKind, instance);
        if (effect === "remove") await removeAppInst(tx, instance);
      }, queue));
  }

  /** The site took back what it said of an instance, or can say nothing any more. */
  appInstGone(key: string): void {
    this.#instances.delete(key);
  }

  cloudlet(key: string, info: CloudletInfo, notifyId: number): void {
    if (info.standbyCrm) return;
    const { operations } = this.#options;
    this.#sites.set(key, { info, notifyId });
    operations.report(CloudletKind, key, info.status);
    this.#queue.submit(`Cloudlet/${key}`, () => this.#applyCloudlet(key, info, notifyId));
  }

  /** The site's stream is gone for good: it is offline, and so are its instances. */
  cloudletGone(key: string): void {
    if (!this.#sites.delete(key)) return;
    this.#options.log.warn("Cloudlet offline", { cloudlet: key, reason: "notify disconnect" });
    this.takeOffline(key);
  }

  /** Marks a site that is connected nowhere as offline. */
  takeOffline(key: string): void {
    this.#queue.submit(`Cloudlet/${key}`, () => this.#applyOffline(key));
  }

  async #applyCloudlet(key: string, info: CloudletInfo, notifyId: number): Promise<void> {
    const { region, alerts, controller, log } = this.#options;
    const cameBack = await region.change(async (tx) => {
      const cloudlet = await tx.get(CloudletKind, key);
      if (cloudlet === undefined) return false;
      const before = await tx.get(CloudletInfoKind, key);
      const stored = storedCloudletInfo(info, controller, notifyId);
      if (before === undefined || !equal(CloudletInfoKind.message, before, stored)) tx.put(CloudletInfoKind, stored);
      if (applyCloudletInfo(cloudlet, info)) tx.put(CloudletKind, cloudlet);
      return stored.state === READY && before?.state !== READY;
    });
    if (!cameBack) return;
    log.info("Cloudlet online", { cloudlet: key, version: info.containerVersion });
    clearOffline(alerts, CloudletKind.parseKey(key));
    // What was told of its instances while they counted as offline would otherwise never be looked at again.
    for (const instanceKey of this.#instancesOn(key)) {
      const report = this.#instances.get(instanceKey);
      if (report) this.appInst(instanceKey, report);
    }
  }

  async #applyOffline(key: string): Promise<void> {
    const { region, alerts, controller } = this.#options;
    const offline = await region.change(async (tx) => {
      const info = await tx.get(CloudletInfoKind, key);
      // It may be connected to another controller by now, which then has noted itself.
      if (info === undefined) return false;
      if (info.controller !== controller && region.cache.hasController(info.controller)) return false;
      if (info.state !== OFFLINE) tx.put(CloudletInfoKind, { ...info, state: OFFLINE });
      return true;
    });
    if (!offline) return;
    const instances = this.#instancesOn(key).map((instance) => region.cache.get(AppInstKind, instance)!);
    raiseOffline(alerts, region.cache, CloudletKind.parseKey(key), instances);
    for (const instanceKey of this.#instancesOn(key)) {
      if (this.#sites.has(key) || this.#stop.signal.aborted) return;
      await region.change(async (tx) => {
        const instance = await tx.get(AppInstKind, instanceKey);
        const healthCheck = dme.HealthCheck.HEALTH_CHECK_CLOUDLET_OFFLINE;
        if (instance?.state !== TrackedState.READY || instance.healthCheck === healthCheck) return;
        tx.put(AppInstKind, { ...instance, healthCheck });
      });
    }
  }

  #instancesOn(cloudletKey: string): string[] {
    return [...this.#options.region.cache.table(AppInstKind)]
      .filter(([, { key }]) => CloudletKind.keyString(key.clusterInstKey.cloudletKey) === cloudletKey)
      .map(([keyString]) => keyString);
  }
}
