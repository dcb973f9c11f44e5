import { type NotifyHub, onOwnedObject } from "../../../../shared/notify/mod.ts";
import { AutoProvInfoKind, CloudletKind, ControllerKind } from "../../../../shared/schema/mod.ts";
import type { AutoProvisioner } from "../context.ts";
import type { Region } from "../state/region.ts";
import type { RegionCache } from "../state/region_cache.ts";
import { AUTO_PROVISIONER } from "./admission.ts";
import type { SiteReports } from "./site_reports.ts";

/** Takes what the auto-provisioner has done for cloudlets; it stays when the stream ends, as it is an answer. */
export function receiveAutoProvInfo(hub: NotifyHub, region: Region, reports: SiteReports): void {
  onOwnedObject(hub, AutoProvInfoKind, {
    update(info, key, child) {
      reports.submit(`AutoProvInfo/${key}`, () =>
        region.change(async (tx) => {
          if (await tx.get(CloudletKind, key) === undefined) return;
          tx.put(AutoProvInfoKind, { ...info, notifyId: child.id });
        }));
    },
    remove() {},
  });
}

/** What a controller knows of auto-provisioners: those connected to it; with other controllers there may be more. */
export function autoProvisionerOf(hub: NotifyHub, cache: RegionCache): AutoProvisioner {
  return {
    isConnected: () =>
      cache.table(ControllerKind).size > 1 || hub.streams().some(({ child }) => child.service === AUTO_PROVISIONER),
  };
}
