// Specification 0.8.

/** Name of the cluster that stands for none, and of the only cluster of a site that is one cluster. */
export const NO_CLUSTER = "defaultclust";

/** Name of a site's cluster in which apps of all developers run. */
export const DEFAULT_MULTI_TENANT_CLUSTER = "defaultmtclust";

const AUTO_CLUSTER_PREFIX = "autocluster";
/** Name in an instance's key that asks for any cluster. */
export const ANY_CLUSTER = AUTO_CLUSTER_PREFIX;

const RESERVABLE = /^reservable([0-9]+)$/;

/** Most clusters that are made for instances on one cloudlet. */
export const MAX_AUTO_CLUSTERS = 10_000;

/** Whether a cluster name in an instance's key asks for a cluster to be found or made. */
export function asksForCluster(name: string): boolean {
  return name.startsWith(AUTO_CLUSTER_PREFIX);
}

/** Name of the n-th cluster made for instances on a cloudlet, counted from 0. */
export function reservableName(n: number): string {
  return `reservable${n}`;
}

/** Number in the name of a cluster made for instances; undefined for other names. */
export function reservableNumber(name: string): number | undefined {
  const match = RESERVABLE.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** Whether callers may not give the name to a cluster. */
export function isReservedClusterName(name: string): boolean {
  return name === NO_CLUSTER || name === DEFAULT_MULTI_TENANT_CLUSTER || RESERVABLE.test(name) ||
    asksForCluster(name);
}
