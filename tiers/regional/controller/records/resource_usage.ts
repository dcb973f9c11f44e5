import type { MetricsStore, Point } from "../../../../shared/metrics/mod.ts";
import {
  CloudletKind,
  type CloudletRefs,
  CloudletRefsKind,
  enumName,
  PlatformType,
} from "../../../../shared/schema/mod.ts";
import { milliseconds } from "../api/device_api.ts";
import type { RegionCache } from "../state/region_cache.ts";
import { MetricsDatabase } from "./databases.ts";

/** Field of a resource in `<platform>-resource-usage` (specification 8.4). */
const FIELDS: Readonly<Record<string, string>> = {
  "RAM": "ramUsed",
  "vCPUs": "vcpusUsed",
  "Disk": "diskUsed",
  "GPUs": "gpusUsed",
  "External IPs": "externalIpsUsed",
  "Instances": "instancesUsed",
  "Floating IPs": "floatingIpsUsed",
  "K8s Clusters": "k8sClustersUsed",
  "Maximum K8s Nodes Per Cluster": "maxK8sNodesPerClusterUsed",
  "Total Number Of K8s Nodes": "totalK8sNodesUsed",
  "Network Load Balancers": "networkLBsUsed",
};

/** What a cloudlet has given away, as points: one of all resources, and one for each size of machine. */
export function resourceUsagePoints(refs: CloudletRefs, platform: PlatformType): Point[] {
  const { key: { name, organization }, used, usedFlavors, updatedAt } = refs;
  if (updatedAt === undefined) return [];
  const timeMs = milliseconds(updatedAt);
  const tags = { cloudlet: name, cloudletorg: organization };
  const fields: Record<string, bigint> = {};
  // All of them each time, so that what has gone back to nothing is told too.
  for (const resource of ["RAM", "vCPUs", "GPUs", "External IPs", ...Object.keys(used)]) {
    const field = FIELDS[resource];
    if (field !== undefined) fields[field] = BigInt(used[resource] ?? 0);
  }
  const platformName = enumName(PlatformType, platform).replace("PLATFORM_TYPE_", "").toLowerCase().replaceAll(
    "_",
    "-",
  );
  return [
    { measurement: `${platformName}-resource-usage`, tags, fields, timeMs },
    ...Object.entries(usedFlavors).map(([flavor, count]) => ({
      measurement: "cloudlet-flavor-usage",
      tags: { ...tags, flavor },
      fields: { count: BigInt(count) },
      timeMs,
    })),
  ];
}

/**
 * Writes what cloudlets have given away whenever that changes. Every controller does so with the time that stands in the
 * store, so that the same point written by several is one.
 *
 * @returns what ends that
 */
export function recordResources(store: MetricsStore, cache: RegionCache): () => void {
  return cache.subscribe(({ objects }) => {
    const points = objects.flatMap(({ kind, keyString, object }) => {
      if (kind.kind !== CloudletRefsKind.kind || object === undefined) return [];
      const cloudlet = cache.get(CloudletKind, keyString);
      return cloudlet === undefined ? [] : resourceUsagePoints(object as CloudletRefs, cloudlet.platformType);
    });
    if (points.length > 0) store.write(MetricsDatabase.cloudletUsage, points);
  });
}
