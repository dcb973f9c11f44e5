import { Candidates } from "./candidates.ts";
import type { Point } from "./geo.ts";
import { isValidPoint } from "./geo.ts";
import {
  appId,
  type AppShape,
  CLOUDLET_NOT_PRESENT,
  CLOUDLET_READY,
  cloudletId,
  type CloudletInfoShape,
  type CloudletKeyShape,
  type CloudletShape,
  HEALTH_OK,
  HEALTH_UNKNOWN,
  INSTANCE_READY,
  instanceId,
  type InstanceKeyShape,
  type InstanceShape,
  NORMAL_OPERATION,
  UNDER_MAINTENANCE,
} from "./objects.ts";
import type { TableWatcher } from "./watcher.ts";

/** An app with the candidates among its instances; it exists as soon as the app or one of its instances is known. */
export interface AppEntry<A extends AppShape, I extends InstanceShape> {
  readonly id: string;
  /** Undefined while only instances of the app are known. */
  app: A | undefined;
  readonly candidates: Candidates<InstanceEntry<A, I>>;
  readonly instances: Set<InstanceEntry<A, I>>;
}

/** A cloudlet with what is known of it; it exists as soon as anything refers to it. */
export interface CloudletEntry<A extends AppShape, I extends InstanceShape> {
  readonly id: string;
  cloudlet: CloudletShape | undefined;
  info: CloudletInfoShape | undefined;
  readonly instances: Set<InstanceEntry<A, I>>;
}

/** An instance; the same entry for as long as the instance exists, whatever changes in it. */
export interface InstanceEntry<A extends AppShape, I extends InstanceShape> {
  readonly id: string;
  instance: I;
  readonly app: AppEntry<A, I>;
  readonly cloudlet: CloudletEntry<A, I>;
  /** Where the instance is for matching: its own location or else its cloudlet's. */
  location: Point;
  /** May be offered now (specification 4.2). */
  usable: boolean;
}

/**
 * The replicated objects as matching sees them. Whether an instance may be offered follows from the present content
 * alone: objects may come, change and go in any order.
 */
export class Tables<A extends AppShape = AppShape, I extends InstanceShape = InstanceShape> {
  readonly #apps = new Map<string, AppEntry<A, I>>();
  readonly #cloudlets = new Map<string, CloudletEntry<A, I>>();
  readonly #instances = new Map<string, InstanceEntry<A, I>>();
  #watcher: TableWatcher<A, I> | undefined;

  /** Has changes told to somebody from now on. */
  watch(watcher: TableWatcher<A, I>): void {
    this.#watcher = watcher;
  }

  /** The app with this {@link appId}, or undefined while the app itself is not known. */
  app(id: string): AppEntry<A, I> | undefined {
    const entry = this.#apps.get(id);
    return entry?.app === undefined ? undefined : entry;
  }

  /** All known apps. */
  *apps(): IterableIterator<A> {
    for (const { app } of this.#apps.values()) if (app !== undefined) yield app;
  }

  instance(key: InstanceKeyShape): InstanceEntry<A, I> | undefined {
    return this.#instances.get(instanceId(key));
  }

  /** Number of instances, and of those that may be offered. */
  count(): { instances: number; usable: number } {
    let usable = 0;
    for (const entry of this.#instances.values()) if (entry.usable) usable++;
    return { instances: this.#instances.size, usable };
  }

  setApp(app: A): void {
    const { organization, name, version } = app.key;
    this.#appEntry(appId(organization, name, version)).app = app;
  }

  removeApp(key: AppShape["key"]): void {
    const entry = this.#apps.get(appId(key.organization, key.name, key.version));
    if (entry === undefined) return;
    entry.app = undefined;
    this.#forgetApp(entry);
  }

  setInstance(instance: I): void {
    const id = instanceId(instance.key);
    let entry = this.#instances.get(id);
    const before = entry?.instance;
    if (entry === undefined) {
      const { appKey, clusterInstKey } = instance.key;
      const app = this.#appEntry(appId(appKey.organization, appKey.name, appKey.version));
      const cloudlet = this.#cloudletEntry(clusterInstKey.cloudletKey);
      entry = { id, instance, app, cloudlet, location: { latitude: 0, longitude: 0 }, usable: false };
      this.#instances.set(id, entry);
      app.instances.add(entry);
      cloudlet.instances.add(entry);
    } else {
      // The same texts, since they name the same entry: those that came now need not be kept.
      instance.key = entry.instance.key;
      entry.instance = instance;
    }
    refresh(entry);
    if (this.#watcher !== undefined) tellInstance(this.#watcher, entry, before);
  }

  removeInstance(key: InstanceKeyShape): void {
    const entry = this.#instances.get(instanceId(key));
    if (entry === undefined) return;
    this.#instances.delete(entry.id);
    entry.usable = false;
    entry.app.candidates.remove(entry);
    entry.app.instances.delete(entry);
    entry.cloudlet.instances.delete(entry);
    this.#forgetApp(entry.app);
    this.#forgetCloudlet(entry.cloudlet);
    this.#watcher?.instanceGone(entry);
  }

  setCloudlet(cloudlet: CloudletShape): void {
    const entry = this.#cloudletEntry(cloudlet.key);
    const before = entry.cloudlet?.maintenanceState ?? NORMAL_OPERATION;
    entry.cloudlet = cloudlet;
    refreshAll(entry);
    const state = cloudlet.maintenanceState;
    if (state === before) return;
    this.#watcher?.maintenance(entry, state);
    if (state === NORMAL_OPERATION) this.#tellAvailable(entry);
  }

  removeCloudlet(key: CloudletKeyShape): void {
    const entry = this.#cloudlets.get(cloudletId(key));
    if (entry === undefined) return;
    entry.cloudlet = undefined;
    refreshAll(entry);
    this.#forgetCloudlet(entry);
    this.#watcher?.cloudletGone(entry);
  }

  setCloudletInfo(info: CloudletInfoShape): void {
    const entry = this.#cloudletEntry(info.key);
    const changed = entry.info?.state !== info.state;
    entry.info = info;
    // Reports come often and seldom change the state.
    if (!changed) return;
    refreshAll(entry);
    this.#watcher?.cloudletState(entry, info.state);
    if (info.state === CLOUDLET_READY) this.#tellAvailable(entry);
  }

  removeCloudletInfo(key: CloudletKeyShape): void {
    const entry = this.#cloudlets.get(cloudletId(key));
    if (entry === undefined) return;
    const known = entry.info !== undefined;
    entry.info = undefined;
    refreshAll(entry);
    this.#forgetCloudlet(entry);
    if (known) this.#watcher?.cloudletState(entry, CLOUDLET_NOT_PRESENT);
  }

  #tellAvailable(cloudlet: CloudletEntry<A, I>): void {
    if (this.#watcher === undefined) return;
    for (const entry of cloudlet.instances) if (entry.usable) this.#watcher.available(entry);
  }

  #appEntry(id: string): AppEntry<A, I> {
    let entry = this.#apps.get(id);
    if (entry === undefined) {
      entry = { id, app: undefined, candidates: new Candidates(), instances: new Set() };
      this.#apps.set(id, entry);
    }
    return entry;
  }

  #cloudletEntry(key: CloudletKeyShape): CloudletEntry<A, I> {
    const id = cloudletId(key);
    let entry = this.#cloudlets.get(id);
    if (entry === undefined) {
      entry = { id, cloudlet: undefined, info: undefined, instances: new Set() };
      this.#cloudlets.set(id, entry);
    }
    return entry;
  }

  #forgetApp(entry: AppEntry<A, I>): void {
    if (entry.app === undefined && entry.instances.size === 0) this.#apps.delete(entry.id);
  }

  #forgetCloudlet(entry: CloudletEntry<A, I>): void {
    if (entry.cloudlet === undefined && entry.info === undefined && entry.instances.size === 0) {
      this.#cloudlets.delete(entry.id);
    }
  }
}

/** Tells what has become of an instance that was set. @param before what it was, undefined when it is new */
function tellInstance<A extends AppShape, I extends InstanceShape>(
  watcher: TableWatcher<A, I>,
  entry: InstanceEntry<A, I>,
  before: I | undefined,
): void {
  const { state, healthCheck } = entry.instance;
  if (before === undefined) {
    if (entry.usable) watcher.available(entry);
    return;
  }
  if (before.state === INSTANCE_READY && state !== INSTANCE_READY) watcher.unready(entry);
  else if (before.healthCheck !== healthCheck) watcher.health(entry, healthCheck);
  const better = before.state !== state || (before.healthCheck !== healthCheck && healthCheck === HEALTH_OK);
  if (better && entry.usable) watcher.available(entry);
}

function refreshAll<A extends AppShape, I extends InstanceShape>(cloudlet: CloudletEntry<A, I>): void {
  for (const entry of cloudlet.instances) refresh(entry);
}

/** Brings an instance's place, usability and membership in the candidate sets in line with the present objects. */
function refresh<A extends AppShape, I extends InstanceShape>(entry: InstanceEntry<A, I>): void {
  const { instance, cloudlet: { cloudlet, info } } = entry;
  const location = instance.cloudletLoc ?? cloudlet?.location;
  entry.usable = location !== undefined && isValidPoint(location) && instance.state === INSTANCE_READY &&
    (instance.healthCheck === HEALTH_OK || instance.healthCheck === HEALTH_UNKNOWN) && cloudlet !== undefined &&
    cloudlet.maintenanceState !== UNDER_MAINTENANCE && info?.state === CLOUDLET_READY;
  if (!entry.usable) {
    entry.app.candidates.remove(entry);
    return;
  }
  entry.location = location!;
  const own = instance.key.clusterInstKey.cloudletKey.organization;
  entry.app.candidates.put(entry, location!, own, cloudlet!.allianceOrgs);
}
