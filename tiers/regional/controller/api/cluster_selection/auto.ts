import {
  CloudletKind,
  ClusterInst,
  ClusterInstKind,
  Liveness,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import { failedPrecondition, refuse } from "../../faults.ts";
import {
  DEFAULT_MULTI_TENANT_CLUSTER,
  MAX_AUTO_CLUSTERS,
  reservableName,
  reservableNumber,
} from "../../rules/cluster_names.ts";
import { clusterDeploymentOf, isSidecar } from "../../rules/deployments.ts";
import { Issues } from "../../rules/issues.ts";
import { isDeletePrepared, type ObjectTx } from "../../state/object_tx.ts";
import type { RegionCache } from "../../state/region_cache.ts";
import { hasRoomFor } from "./shared_room.ts";
import { type ClusterWish, realKey, requireDeployment, requireReady, type Selection } from "./wish.ts";

/**
 * The cluster of an instance that asks for one to be found: the cloudlet's shared one where the app allows it, else one
 * that is to be lent and free, else a new one (specification 4.4).
 */
export async function selectAuto(tx: ObjectTx, cache: RegionCache, wish: ClusterWish): Promise<Selection> {
  const { app, instance, platformOrg } = wish;
  const real = instance.realClusterName;
  const { organization } = instance.key.clusterInstKey;
  if (isSidecar(app)) return await takeForSidecar(tx, wish);
  const issues = new Issues();
  issues.check(real === "", "real_cluster_name", real, "must be empty: a cluster is found or made for the instance");
  const rule = `must be ${platformOrg}, to which clusters belong that are found or made`;
  issues.check(organization === platformOrg, "key.cluster_inst_key.organization", organization, rule);
  refuse(issues.list);
  return await findShared(tx, wish) ?? await findFree(tx, cache, wish) ?? await makeCluster(tx, cache, wish);
}

/** A sidecar serves the apps in a cluster, so it has to name it. */
async function takeForSidecar(tx: ObjectTx, { app, instance }: ClusterWish): Promise<Selection> {
  const real = instance.realClusterName;
  const issues = new Issues();
  issues.check(real !== "", "real_cluster_name", real, "is required: a sidecar serves a cluster that is there");
  refuse(issues.list);
  const cluster = await requireReady(tx, realKey(instance, real));
  requireDeployment(cluster, app);
  if (!cluster.multiTenant && !cluster.reservable) {
    throw failedPrecondition(`Cluster ${real} is neither shared nor lent: name it in the key of the instance`);
  }
  return { kind: "existing", cluster, reserve: false };
}

async function findShared(tx: ObjectTx, { app, instance }: ClusterWish): Promise<Selection | undefined> {
  if (!app.allowServerless || clusterDeploymentOf(app.deployment) !== "kubernetes") return undefined;
  const key = ClusterInstKind.keyString(realKey(instance, DEFAULT_MULTI_TENANT_CLUSTER));
  const cluster = await tx.get(ClusterInstKind, key);
  if (cluster?.multiTenant !== true || cluster.state !== TrackedState.READY || isDeletePrepared(cluster)) {
    return undefined;
  }
  return await hasRoomFor(tx, cluster, app) ? { kind: "existing", cluster, reserve: false } : undefined;
}

/** The first cluster, in the order of keys, that can be lent to the instance. */
async function findFree(tx: ObjectTx, cache: RegionCache, wish: ClusterWish): Promise<Selection | undefined> {
  const { site, freed } = wish;
  const fits = (cluster: ClusterInst) => canBeLent(cluster, wish);
  for (const key of [...cache.referrersOfKind(CloudletKind, site.keyString, ClusterInstKind)].sort()) {
    const known = cache.get(ClusterInstKind, key);
    if (key !== freed && (known === undefined || !fits(known))) continue;
    const cluster = await tx.get(ClusterInstKind, key);
    if (cluster !== undefined && fits(cluster)) return { kind: "existing", cluster, reserve: true };
  }
  return undefined;
}

/** Whether a cluster is free and like what an instance wants. */
export function canBeLent(cluster: ClusterInst, wish: Pick<ClusterWish, "app" | "instance" | "platformOrg">): boolean {
  const { app, instance, platformOrg } = wish;
  return cluster.reservable && cluster.reservedBy === "" && cluster.key.organization === platformOrg &&
    cluster.flavor.name === instance.flavor.name && cluster.deployment === clusterDeploymentOf(app.deployment) &&
    cluster.state === TrackedState.READY && !isDeletePrepared(cluster);
}

async function makeCluster(tx: ObjectTx, cache: RegionCache, wish: ClusterWish): Promise<Selection> {
  return { kind: "new", cluster: clusterFor(wish, await freeName(tx, cache, wish)) };
}

/** The cluster that is made for an instance when there is none to be had. */
export function clusterFor({ app, instance }: Pick<ClusterWish, "app" | "instance">, name: string): ClusterInst {
  const deployment = clusterDeploymentOf(app.deployment);
  const kubernetes = deployment === "kubernetes";
  return ClusterInst.create({
    key: realKey(instance, name),
    flavor: { ...instance.flavor },
    deployment,
    auto: true,
    liveness: Liveness.LIVENESS_DYNAMIC,
    reservable: true,
    numMasters: kubernetes ? 1 : 0,
    numNodes: kubernetes ? 1 : 0,
  });
}

/** The name with the lowest number that no cluster on the cloudlet has; being read here, two cannot take the same. */
async function freeName(tx: ObjectTx, cache: RegionCache, { instance, site }: ClusterWish): Promise<string> {
  const taken = new Set<number>();
  for (const key of cache.referrersOfKind(CloudletKind, site.keyString, ClusterInstKind)) {
    const number = reservableNumber(ClusterInstKind.parseKey(key).clusterKey.name);
    if (number !== undefined) taken.add(number);
  }
  for (let n = 0; n < MAX_AUTO_CLUSTERS; n++) {
    if (taken.has(n)) continue;
    const name = reservableName(n);
    if (await tx.get(ClusterInstKind, ClusterInstKind.keyString(realKey(instance, name))) === undefined) return name;
  }
  throw failedPrecondition(`The cloudlet has the maximum of ${MAX_AUTO_CLUSTERS} clusters that are made for instances`);
}
