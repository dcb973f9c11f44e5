import { type AppInst, AppKind, type CloudletKey, dme, enumText } from "../../../../shared/schema/mod.ts";
import { isSidecar } from "../rules/deployments.ts";
import type { RegionCache } from "../state/region_cache.ts";
import type { AlertSink } from "./alerts.ts";
import { appInstLabels, cloudletLabels } from "./labels.ts";
import { AlertName } from "./names.ts";

const STATUS = enumText(dme.HealthCheck, dme.HealthCheck.HEALTH_CHECK_CLOUDLET_OFFLINE);

/** Raises that a cloudlet is offline, and so is each of its instances that people know of (specification 5.5, 8.6). */
export function raiseOffline(
  alerts: AlertSink,
  cache: RegionCache,
  cloudlet: CloudletKey,
  instances: Iterable<AppInst>,
): void {
  alerts.raise({
    labels: { alertname: AlertName.cloudletDown, scope: "Cloudlet", ...cloudletLabels(cloudlet) },
    annotations: { title: "Cloudlet is offline", description: "Its resource manager has lost its connection" },
  });
  for (const { key } of instances) {
    const app = cache.get(AppKind, AppKind.keyString(key.appKey));
    if (app !== undefined && isSidecar(app)) continue;
    alerts.raise({
      labels: { alertname: AlertName.appInstDown, scope: "Application", status: STATUS, ...appInstLabels(key) },
      annotations: { title: "App instance is down", description: "Its cloudlet is offline" },
    });
  }
}

/** Clears what {@linkcode raiseOffline} has raised, whichever controller did. */
export function clearOffline(alerts: AlertSink, cloudlet: CloudletKey): void {
  const labels = cloudletLabels(cloudlet);
  alerts.clear({ alertname: AlertName.cloudletDown, ...labels });
  alerts.clear({ alertname: AlertName.appInstDown, status: STATUS, ...labels });
}
