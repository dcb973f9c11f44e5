import { AppInstClient, type AppInstClientKey, type dme } from "../../../../shared/schema/mod.ts";
import { appId, type InstanceKeyShape } from "../matching/mod.ts";

/** Type of the messages in which devices are told of. */
export const CLIENT_MESSAGE = "AppInstClient";

/** A device as it was seen last; the same object for as long as it is remembered. */
interface Seen {
  readonly uniqueId: string;
  readonly uniqueIdType: string;
  cloudlet: string;
  carrier: string;
  latitude: number;
  longitude: number;
  timeMs: number;
}

/** What the log of devices needs. */
export interface ClientLogOptions {
  now(): number;
  /** Most devices that are remembered of one app. */
  max(): number;
  /** How long a device is remembered, milliseconds. */
  keepMs(): number;
  /** Tells the controller of a device; false when that is not possible now. */
  send(client: AppInstClient): boolean;
}

/** Most apps of which devices are remembered; those beyond have none. */
const MAX_APPS = 10_000;

/**
 * The devices that were given an instance lately, by app, and what is told of them to whoever watches (DME specification
 * 6.3): on a new watch those that are remembered, from then on every one that comes.
 */
export class ClientLog {
  readonly #options: ClientLogOptions;
  /** By app, those seen longest ago first. */
  readonly #apps = new Map<string, Map<string, Seen>>();
  readonly #watches = new Map<string, AppInstClientKey>();

  constructor(options: ClientLogOptions) {
    this.#options = options;
  }

  /** Devices that are remembered of an app. @param app its table id */
  size(app: string): number {
    return this.#apps.get(app)?.size ?? 0;
  }

  /** A device was given an instance on a cloudlet, under a carrier. @param session of the device, which `device` names */
  found(
    app: string,
    session: { device: string; uniqueId: string; uniqueIdType: string },
    cloudlet: string,
    carrier: string,
    location: { latitude: number; longitude: number },
  ): void {
    let devices = this.#apps.get(app);
    if (devices === undefined) {
      if (this.#apps.size >= MAX_APPS) return;
      this.#apps.set(app, devices = new Map());
    }
    const key = session.device;
    const { latitude, longitude } = location;
    const timeMs = this.#options.now();
    const seen = devices.get(key);
    if (seen === undefined) {
      const { uniqueId, uniqueIdType } = session;
      devices.set(key, { uniqueId, uniqueIdType, cloudlet, carrier, latitude, longitude, timeMs });
      const max = this.#options.max();
      if (devices.size > max) dropOldest(devices, max);
    } else {
      devices.delete(key);
      seen.cloudlet = cloudlet;
      seen.carrier = carrier;
      seen.latitude = latitude;
      seen.longitude = longitude;
      seen.timeMs = timeMs;
      devices.set(key, seen);
    }
    if (this.#watches.size === 0) return;
    const client = clientOf(app, devices.get(key) ?? seen!);
    for (const watch of this.#watches.values()) {
      // Whoever watches takes each once, however many watches it meets.
      if (covers(watch, client.clientKey)) return void this.#options.send(client);
    }
  }

  /** Somebody watches from now on. */
  watch(id: string, key: AppInstClientKey): void {
    const told = [...this.#watches.values()].some((other) => covers(other, key));
    this.#watches.set(id, key);
    if (told) return;
    for (const [app, devices] of this.#apps) {
      for (const seen of devices.values()) {
        const client = clientOf(app, seen);
        if (covers(key, client.clientKey)) this.#options.send(client);
      }
    }
  }

  /** Nobody watches this any more. */
  unwatch(id: string): void {
    this.#watches.delete(id);
  }

  /** An instance is gone: those who were given one of the app on its cloudlet are forgotten. */
  removeInstance({ appKey, clusterInstKey }: InstanceKeyShape): void {
    const app = appId(appKey.organization, appKey.name, appKey.version);
    const devices = this.#apps.get(app);
    if (devices === undefined) return;
    const { name } = clusterInstKey.cloudletKey;
    for (const [key, seen] of devices) if (seen.cloudlet === name) devices.delete(key);
    if (devices.size === 0) this.#apps.delete(app);
  }

  /** Forgets who was not seen for too long; to be called now and then. */
  sweep(): void {
    const oldest = this.#options.now() - this.#options.keepMs();
    for (const [app, devices] of this.#apps) {
      for (const [key, seen] of devices) if (seen.timeMs < oldest) devices.delete(key);
      if (devices.size === 0) this.#apps.delete(app);
    }
  }
}

function dropOldest(devices: Map<string, Seen>, max: number): void {
  for (const oldest of devices.keys()) {
    devices.delete(oldest);
    if (devices.size <= max) return;
  }
}

function clientOf(app: string, seen: Seen): AppInstClient {
  const [organization = "", name = "", version = ""] = app.split("\n");
  const seconds = Math.floor(seen.timeMs / 1000);
  const timestamp = { seconds, nanos: Math.floor(seen.timeMs - seconds * 1000) * 1_000_000 };
  const location: Partial<dme.Loc> = { latitude: seen.latitude, longitude: seen.longitude, timestamp };
  return AppInstClient.create({
    clientKey: {
      appInstKey: {
        appKey: { organization, name, version },
        clusterInstKey: { cloudletKey: { organization: seen.carrier, name: seen.cloudlet } },
      },
      uniqueId: seen.uniqueId,
      uniqueIdType: seen.uniqueIdType,
    },
    location,
  });
}

/** Whether all that matches `inner` matches `outer`: what is empty there matches all. The cluster does not count. */
export function covers(outer: AppInstClientKey, inner: AppInstClientKey): boolean {
  const fits = (wanted: string, actual: string) => wanted === "" || wanted === actual;
  const { appKey, clusterInstKey: { cloudletKey } } = outer.appInstKey;
  const { appKey: app, clusterInstKey: { cloudletKey: cloudlet } } = inner.appInstKey;
  return fits(appKey.organization, app.organization) && fits(appKey.name, app.name) &&
    fits(appKey.version, app.version) && fits(cloudletKey.organization, cloudlet.organization) &&
    fits(cloudletKey.name, cloudlet.name) && fits(outer.uniqueId, inner.uniqueId) &&
    fits(outer.uniqueIdType, inner.uniqueIdType);
}
