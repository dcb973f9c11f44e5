import { ClusterInstKind } from "../../../../../shared/schema/mod.ts";
import { failedPrecondition, refuse } from "../../faults.ts";
import { asksForCluster, NO_CLUSTER } from "../../rules/cluster_names.ts";
import { clusterDeploymentOf, isSidecar } from "../../rules/deployments.ts";
import { Issues } from "../../rules/issues.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import type { RegionCache } from "../../state/region_cache.ts";
import { selectAuto } from "./auto.ts";
import { type ClusterWish, realKey, requireDeployment, requireReady, type Selection } from "./wish.ts";

/**
 * Selects the cluster of a new instance. Others' clusters are looked up in the cache and read again in the transaction.
 *
 * @throws {RpcError} INVALID_ARGUMENT for a wish that cannot be, FAILED_PRECONDITION for a cluster that does not fit
 */
export async function selectCluster(tx: ObjectTx, cache: RegionCache, wish: ClusterWish): Promise<Selection> {
  const { app, instance, site } = wish;
  const { name } = instance.key.clusterInstKey.clusterKey;
  if (site.traits.features.singleCluster) return await selectOnly(tx, wish);
  if (clusterDeploymentOf(app.deployment) === "") {
    const issues = new Issues();
    const real = instance.realClusterName;
    issues.check(real === "", "real_cluster_name", real, `must be empty: ${app.deployment} apps run in no cluster`);
    refuse(issues.list);
    return { kind: "none" };
  }
  return asksForCluster(name) ? await selectAuto(tx, cache, wish) : await takeNamed(tx, wish);
}

/** The only cluster of a site that is one; instances may call it as they like. */
async function selectOnly(tx: ObjectTx, { app, instance, site, platformOrg }: ClusterWish): Promise<Selection> {
  const owner = site.cloudlet.singleKubernetesClusterOwner;
  const { organization } = instance.key.clusterInstKey;
  const issues = new Issues();
  issues.check(
    instance.realClusterName === "" || instance.realClusterName === NO_CLUSTER,
    "real_cluster_name",
    instance.realClusterName,
    `must be empty or ${NO_CLUSTER}: the cloudlet is one cluster`,
  );
  const wanted = owner || platformOrg;
  issues.check(
    organization === wanted,
    "key.cluster_inst_key.organization",
    organization,
    `must be ${wanted}, to which the cloudlet's only cluster belongs`,
  );
  refuse(issues.list);
  if (owner === "" && !app.allowServerless && !isSidecar(app)) {
    throw failedPrecondition("The cloudlet's only cluster is shared, and the app does not allow serverless deployment");
  }
  const cluster = await requireReady(tx, realKey(instance, NO_CLUSTER));
  return { kind: "existing", cluster, reserve: false };
}

async function takeNamed(tx: ObjectTx, { app, instance }: ClusterWish): Promise<Selection> {
  const { name } = instance.key.clusterInstKey.clusterKey;
  const issues = new Issues();
  const real = instance.realClusterName;
  issues.check(real === "" || real === name, "real_cluster_name", real, "must be the cluster of the key");
  refuse(issues.list);
  const cluster = await requireReady(tx, realKey(instance, name));
  const key = ClusterInstKind.keyString(cluster.key);
  requireDeployment(cluster, app);
  if (isSidecar(app)) return { kind: "existing", cluster, reserve: false };
  if (cluster.multiTenant) {
    throw failedPrecondition(`Cluster ${key} is shared: name it autocluster… to run in it`);
  }
  const organization = instance.key.appKey.organization;
  if (cluster.reservable) {
    if (cluster.reservedBy !== "" && cluster.reservedBy !== organization) {
      throw failedPrecondition(`Cluster ${key} is reserved already`);
    }
    if (cluster.flavor.name !== instance.flavor.name) {
      throw failedPrecondition(`Cluster ${key} is of flavor ${cluster.flavor.name}, not ${instance.flavor.name}`);
    }
    return { kind: "existing", cluster, reserve: true };
  }
  if (cluster.key.organization !== organization) {
    throw failedPrecondition(`Cluster ${key} belongs to another organization than the app`);
  }
  return { kind: "existing", cluster, reserve: false };
}
