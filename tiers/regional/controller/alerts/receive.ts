import { type NotifyHub, onOwnedObject } from "../../../../shared/notify/mod.ts";
import { AlertKind, CloudletKind } from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import type { Alerts } from "./alerts.ts";
import { alertKey, type Labels } from "./labels.ts";
import { isMonitored, withinBounds } from "./names.ts";

/**
 * Takes alerts that children own: a site's only about that site. They go when the child takes them back or its stream is
 * gone for good.
 */
export function receiveAlerts(hub: NotifyHub, alerts: Alerts, log: Logger): void {
  /** Children know nothing of what is added here, so their keys are others. */
  const ours = new Map<string, string>();
  onOwnedObject(hub, AlertKind, {
    update({ labels, annotations, value }, key, child) {
      if (!isMonitored(labels)) return;
      if (!withinBounds(labels) || !withinBounds(annotations)) {
        log.warn("Alert of a child is too large", { child: child.name, alert: labels["alertname"]?.slice(0, 64) });
        return;
      }
      ours.set(key, alerts.put({ labels, annotations, value }, child.id));
    },
    remove(key) {
      const ourKey = ours.get(key);
      ours.delete(key);
      if (ourKey !== undefined) alerts.remove(ourKey);
    },
  }, {
    scopeOf(key) {
      const labels = labelsOf(key);
      if (labels === undefined || labels["cloudlet"] === undefined) return undefined;
      const { cloudlet, cloudletorg } = labels;
      const organization = String(cloudletorg);
      return CloudletKind.keyString({ organization, name: cloudlet!, federatedOrganization: "" });
    },
  });
}

/** The labels inside a key string; undefined when it is not the key of any alert. */
function labelsOf(key: string): Labels | undefined {
  try {
    const labels = JSON.parse(AlertKind.parseKey(key).labels);
    return AlertKind.keyString(alertKey(labels)) === key ? labels : undefined;
  } catch {
    return undefined;
  }
}
