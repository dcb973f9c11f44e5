import {
  type Alert,
  type AlertKey,
  type AppInstKey,
  AppInstKind,
  type CloudletKey,
  type ClusterInstKey,
  type VirtualClusterInstKey,
} from "../../../../shared/schema/mod.ts";

/** Names and values that tell alerts apart. */
export type Labels = Readonly<Record<string, string>>;

/** The key of the alert with these labels: their JSON, sorted by name. */
export function alertKey(labels: Labels): AlertKey {
  const sorted = Object.entries(labels).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  return { labels: JSON.stringify(Object.fromEntries(sorted)) };
}

/** Labels of a cloudlet. */
export function cloudletLabels({ name, organization }: CloudletKey): Labels {
  return { cloudlet: name, cloudletorg: organization };
}

/** Labels of a cluster. */
export function clusterLabels(
  { clusterKey, cloudletKey, organization }: ClusterInstKey | VirtualClusterInstKey,
): Labels {
  return { ...cloudletLabels(cloudletKey), cluster: clusterKey.name, clusterorg: organization };
}

/** Labels of an app instance. */
export function appInstLabels({ appKey, clusterInstKey }: AppInstKey): Labels {
  return {
    ...clusterLabels(clusterInstKey),
    app: appKey.name,
    appver: appKey.version,
    apporg: appKey.organization,
  };
}

/** The key string of the instance that labels name; undefined when one of its parts is missing. */
export function appInstOf(labels: Labels): string | undefined {
  const { app, appver, apporg, cluster, clusterorg, cloudlet, cloudletorg } = labels;
  const given = (value: string | undefined): value is string => value !== undefined;
  if (
    !given(app) || !given(appver) || !given(apporg) || !given(cluster) || !given(clusterorg) || !given(cloudlet) ||
    !given(cloudletorg)
  ) return undefined;
  return AppInstKind.keyString({
    appKey: { organization: apporg, name: app, version: appver },
    clusterInstKey: {
      clusterKey: { name: cluster },
      cloudletKey: { organization: cloudletorg, name: cloudlet, federatedOrganization: "" },
      organization: clusterorg,
    },
  });
}

/** Whether an alert has all of these labels. */
export function hasLabels(alert: Pick<Alert, "labels">, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) =>
    Object.hasOwn(alert.labels, name) && alert.labels[name] === value
  );
}
