import type { Labels } from "./labels.ts";

/** Alerts that the platform itself knows (controller specification 8.6). */
export const AlertName = {
  appInstDown: "AppInstDown",
  cloudletDown: "CloudletDown",
  cloudletResourceUsage: "CloudletResourceUsage",
  clusterSvcAppInstFailure: "ClusterSvcAppInstFailure",
  autoScaleUp: "AutoScaleUp",
  autoScaleDown: "AutoScaleDown",
  clusterAutoScale: "ClusterAutoScale",
  autoProvUndeploy: "AutoProvUndeploy",
} as const;

const KNOWN: ReadonlySet<string> = new Set(Object.values(AlertName));
const SCOPES: ReadonlySet<string> = new Set(["Application", "Cloudlet", "Platform"]);

/** Most labels, and most annotations, of one alert, and the longest name or text of them in characters. */
const MAX_ENTRIES = 64;
const MAX_CHARACTERS = 1024;

/** Whether an alert is kept: those that nobody here knows are of no use to anybody (services specification 4.6). */
export function isMonitored(labels: Labels): boolean {
  const { alertname = "", scope = "", type = "" } = labels;
  return alertname !== "" && (SCOPES.has(scope) || type === "UserDefined" || KNOWN.has(alertname));
}

/** How bad an alert is when it does not say. */
export function defaultSeverity(alertname: string): "error" | "warning" | "info" {
  switch (alertname) {
    case AlertName.appInstDown:
    case AlertName.cloudletDown:
    case AlertName.clusterSvcAppInstFailure:
      return "error";
    case AlertName.cloudletResourceUsage:
      return "warning";
    default:
      return "info";
  }
}

/** Whether labels or annotations keep within their bounds. */
export function withinBounds(entries: Labels): boolean {
  const list = Object.entries(entries);
  return list.length <= MAX_ENTRIES &&
    list.every(([name, text]) => name.length <= MAX_CHARACTERS && text.length <= MAX_CHARACTERS);
}
