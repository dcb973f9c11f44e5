import type { NotifyHub } from "../../../../shared/notify/mod.ts";
import { Device, DeviceKind, type Timestamp } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { milliseconds } from "../api/device_api.ts";
import type { Region } from "../state/region.ts";

/** Type of the messages in which matching engines tell of the platform's own devices. */
export const DEVICE_MESSAGE = "Device";

/** Devices that wait to be stored; more are dropped, and told of again when they register anew elsewhere. */
const MAX_WAITING = 10_000;

/** Keeps the devices that matching engines tell of, until they are evicted. Returns what ends that. */
export function takeDevices(hub: NotifyHub, region: Region, log: Logger): () => Promise<void> {
  let stopped = false;
  const running = new Set<Promise<void>>();
  hub.onMessage(DEVICE_MESSAGE, (value, child) => {
    if (child.scope !== undefined || stopped) return;
    let device: Device;
    try {
      device = Device.decode(value);
    } catch (error) {
      return log.warn("Device of a matching engine cannot be read", { child: child.name, error });
    }
    if (running.size >= MAX_WAITING || device.key.uniqueId === "") return;
    const key = DeviceKind.keyString(device.key);
    const stored = store(region, key, device, child.id)
      .catch((error) => log.warn("Device could not be stored", { error }))
      .finally(() => running.delete(stored));
    running.add(stored);
  });
  return async () => {
    stopped = true;
    await Promise.all(running);
  };
}

async function store(region: Region, key: string, device: Device, notifyId: number): Promise<void> {
  // One after another: many at once that meet in one row would mostly run in vain.
  await region.change(async (tx) => {
    const before = await tx.get(DeviceKind, key);
    tx.put(DeviceKind, {
      ...device,
      notifyId,
      firstSeen: earlier(before?.firstSeen, device.firstSeen),
      lastSeen: later(before?.lastSeen, device.lastSeen),
    });
  }, DeviceKind.storePrefix);
}

function earlier(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  return a === undefined || (b !== undefined && milliseconds(b) < milliseconds(a)) ? b : a;
}

function later(a: Timestamp | undefined, b: Timestamp | undefined): Timestamp | undefined {
  return b === undefined || (a !== undefined && milliseconds(a) > milliseconds(b)) ? a : b;
}
