import { type Cloudlet, type ClusterInst, enumText, IpAccess, PlatformType } from "../../../../shared/schema/mod.ts";
import { type PlatformFeatures, platformFeatures } from "../../../../shared/platform_types/mod.ts";
import { clusterDeploymentsOn, isOneMachine } from "./deployments.ts";
import type { Issues } from "./issues.ts";
import { checkClusterName, checkName } from "./names.ts";

/** The infrastructure of a site, as rules see it. */
export interface Platform {
  readonly type: PlatformType;
  readonly features: PlatformFeatures;
}

/** What the infrastructure of a cloudlet is. */
export function platformOf({ platformType, key }: Pick<Cloudlet, "platformType" | "key">): Platform {
  return { type: platformType, features: platformFeatures(platformType, key.organization) };
}

/** Most worker nodes of a cluster, and the largest shared volume in gigabytes: more is a slip of the finger. */
export const MAX_NODES = 1000;
export const MAX_SHARED_VOLUME_GB = 1_000_000;

/** Fills in what a new cluster leaves open and no site has a say in (specification 3.9). */
export function defaultClusterInst(cluster: ClusterInst): void {
  if (cluster.deployment === "helm") cluster.deployment = "kubernetes";
  if (cluster.deployment === "kubernetes" && cluster.numMasters === 0) cluster.numMasters = 1;
}

/** Checks a new cluster of a caller as far as no site has a say in it (specification 3.9, steps 1 to 4). */
export function checkClusterInst(cluster: ClusterInst, issues: Issues, platformOrg: string): void {
  const { key, deployment } = cluster;
  checkClusterName(issues, "key.cluster_key.name", key.clusterKey.name);
  checkName(issues, "key.cloudlet_key.organization", key.cloudletKey.organization);
  checkName(issues, "key.cloudlet_key.name", key.cloudletKey.name);
  checkName(issues, "key.organization", key.organization);
  for (const field of ["reservable", "multiTenant"] as const) {
    if (!cluster[field]) continue;
    const name = field === "reservable" ? "reservable" : "multi_tenant";
    issues.check(key.organization === platformOrg, name, true, `is for clusters of organization ${platformOrg} only`);
  }
  issues.check(!(cluster.reservable && cluster.multiTenant), "multi_tenant", true, "may not be set with reservable");
  const hint = deployment === "vm" ? ": a vm app needs no cluster, create its instance directly" : "";
  issues.check(
    deployment === "" || deployment === "kubernetes" || deployment === "docker",
    "deployment",
    deployment,
    `must be kubernetes or docker${hint}`,
  );
  checkShape(cluster, issues);
}

/** Checks the numbers of a cluster whose deployment is known. */
function checkShape(cluster: ClusterInst, issues: Issues): void {
  const { deployment, numMasters, numNodes, sharedVolumeSize } = cluster;
  if (deployment === "kubernetes") {
    issues.check(numMasters <= 1, "num_masters", numMasters, "must be 1");
    issues.check(numNodes <= MAX_NODES, "num_nodes", numNodes, `must be at most ${MAX_NODES}`);
    const volumeRule = `must be at most ${MAX_SHARED_VOLUME_GB}`;
    issues.check(sharedVolumeSize <= MAX_SHARED_VOLUME_GB, "shared_volume_size", sharedVolumeSize, volumeRule);
  } else if (deployment === "docker") {
    const rule = "must be 0: a docker cluster is one machine";
    issues.check(numMasters === 0, "num_masters", numMasters, rule);
    issues.check(numNodes === 0, "num_nodes", numNodes, rule);
    issues.check(sharedVolumeSize === 0, "shared_volume_size", sharedVolumeSize, rule);
    issues.check(!cluster.multiTenant, "multi_tenant", true, "must be false: only kubernetes clusters are shared");
    issues.check(cluster.autoScalePolicy === "", "auto_scale_policy", cluster.autoScalePolicy, rule);
  }
}

/** Fills in what depends on the site of a new cluster, and checks what the site can do (specification 3.9, steps 5, 9). */
export function settleOnPlatform(cluster: ClusterInst, platform: Platform, issues: Issues): void {
  const { features } = platform;
  const type = enumText(PlatformType, platform.type);
  const kinds = clusterDeploymentsOn(features);
  if (cluster.deployment === "") {
    cluster.deployment = kinds[0] ?? "";
    defaultClusterInst(cluster);
    checkShape(cluster, issues);
  }
  if (features.singleCluster) {
    issues.add("key.cloudlet_key", undefined, `platform ${type} is one cluster as a whole: it makes no others`);
    return;
  }
  const has = kinds.length === 0 ? "no clusters" : `no ${cluster.deployment} clusters`;
  issues.check(
    kinds.some((kind) => kind === cluster.deployment),
    "deployment",
    cluster.deployment,
    `${type} has ${has}`,
  );
  issues.check(
    cluster.sharedVolumeSize === 0 || features.sharedVolumes,
    "shared_volume_size",
    cluster.sharedVolumeSize,
    `must be 0: platform ${type} has no shared volumes`,
  );
  issues.check(
    !cluster.multiTenant || features.multiTenantClusters,
    "multi_tenant",
    true,
    `must be false: platform ${type} has no clusters for several organizations`,
  );
  issues.check(
    cluster.networks.length === 0 || features.extraNetworks,
    "networks",
    cluster.networks,
    `must be empty: platform ${type} has no further networks`,
  );
  if (cluster.deployment === "kubernetes") checkWorkers(cluster, platform, issues);
  settleAccess(cluster, features, type, issues);
}

/** Checks what an update has made of a cluster (specification 3.9). */
export function checkChangedCluster(
  cluster: ClusterInst,
  platform: Platform,
  issues: Issues,
  platformOrg: string,
): void {
  issues.check(cluster.numMasters > 0, "num_masters", 0, "a cluster without masters of its own cannot be updated");
  if (cluster.multiTenant) {
    const { organization } = cluster.key;
    const rule = `is for clusters of organization ${platformOrg} only`;
    issues.check(organization === platformOrg, "multi_tenant", true, rule);
    issues.check(!cluster.reservable, "multi_tenant", true, "may not be set for a cluster that is lent");
    issues.check(platform.features.multiTenantClusters, "multi_tenant", true, "is nothing that the platform has");
  }
  checkShape(cluster, issues);
  if (cluster.deployment === "kubernetes") checkWorkers(cluster, platform, issues);
}

/** Checks the number of worker nodes against what the platform wants. */
export function checkWorkers(cluster: ClusterInst, { type: platform, features }: Platform, issues: Issues): void {
  const { numNodes } = cluster;
  const type = enumText(PlatformType, platform);
  if (platform === PlatformType.PLATFORM_TYPE_K8S_BARE_METAL) {
    issues.check(numNodes === 0, "num_nodes", numNodes, `must be 0 on platform ${type}`);
  }
  if (features.needsWorkers) {
    issues.check(numNodes > 0, "num_nodes", numNodes, `must be at least 1 on platform ${type}`);
  }
}

function settleAccess(cluster: ClusterInst, features: PlatformFeatures, type: string, issues: Issues): void {
  const { IP_ACCESS_DEDICATED, IP_ACCESS_SHARED, IP_ACCESS_UNKNOWN } = IpAccess;
  if (cluster.ipAccess === IP_ACCESS_UNKNOWN) {
    const dedicated = features.ipPerService ||
      (cluster.deployment === "docker" && !isOneMachine(features));
    cluster.ipAccess = dedicated ? IP_ACCESS_DEDICATED : IP_ACCESS_SHARED;
  }
  if (features.ipPerService) {
    const rule = `must be Dedicated: on platform ${type} every service has an address of its own`;
    issues.check(cluster.ipAccess === IP_ACCESS_DEDICATED, "ip_access", enumText(IpAccess, cluster.ipAccess), rule);
  }
  if (isOneMachine(features)) {
    const rule = `must be Shared: platform ${type} has no load balancers of a cluster's own`;
    issues.check(cluster.ipAccess === IP_ACCESS_SHARED, "ip_access", enumText(IpAccess, cluster.ipAccess), rule);
  }
}
