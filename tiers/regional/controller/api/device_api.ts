import type { Handlers } from "../../../../shared/rpc/mod.ts";
import {
  type Device,
  type DeviceApi,
  DeviceKey,
  DeviceKind,
  matcher,
  matches,
  type Timestamp,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { alreadyExists, notFound, refuse } from "../faults.ts";
import { Issues } from "../rules/issues.ts";
import { timestamp } from "../state/object_tx.ts";
import { done, readKey, readNew, show } from "./requests.ts";

/** Handlers of DeviceApi. */
export function deviceApi({ region, clock }: ApiContext): Handlers<typeof DeviceApi> {
  return {
    async injectDevice(request) {
      const device = readNew(DeviceKind, request, { check: checkDevice });
      device.firstSeen ??= timestamp(clock.now());
      device.lastSeen ??= device.firstSeen;
      const key = DeviceKind.keyString(device.key);
      await region.change(async (tx) => {
        if (await tx.get(DeviceKind, key)) throw alreadyExists(DeviceKind, key);
        tx.put(DeviceKind, device);
      });
      return done("Device added");
    },
    async evictDevice(request) {
      const key = readKey(DeviceKind, request);
      await region.change(async (tx) => {
        if (!await tx.get(DeviceKind, key)) throw notFound(DeviceKind, key);
        tx.remove(DeviceKind, key);
      });
      return done("Device removed");
    },
    showDevice: (request, call) => show(region.cache, DeviceKind, matcher(DeviceKind.message, request), call),
    showDeviceReport({ key, begin, end }, call) {
      const issues = new Issues();
      const ordered = begin === undefined || end === undefined || milliseconds(begin) <= milliseconds(end);
      issues.check(ordered, "end", end, "must not come before begin");
      refuse(issues.list);
      const within = ({ firstSeen }: Device) =>
        (begin === undefined || milliseconds(firstSeen) >= milliseconds(begin)) &&
        (end === undefined || milliseconds(firstSeen) <= milliseconds(end));
      return show(region.cache, DeviceKind, (device) => matches(DeviceKey, key, device.key) && within(device), call);
    },
  };
}

function checkDevice({ firstSeen, lastSeen }: Device, issues: Issues): void {
  const ordered = firstSeen === undefined || lastSeen === undefined ||
    milliseconds(firstSeen) <= milliseconds(lastSeen);
  issues.check(ordered, "last_seen", lastSeen, "must not come before first_seen");
}

/** Milliseconds since 1970; an absent moment is the earliest. */
export function milliseconds(moment: Timestamp | undefined): number {
  return moment === undefined ? 0 : moment.seconds * 1000 + moment.nanos / 1e6;
}
