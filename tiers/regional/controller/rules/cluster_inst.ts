import { type ClusterInst, IpAccess } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";
import { checkClusterName, checkName } from "./names.ts";

/** Deployment of clusters; kubernetes has no platform yet. */
const CLUSTER_DEPLOYMENT = "docker";

/** Fills in the defaults of a new cluster: on one machine all share the site's load balancer (specification 3.9). */
export function defaultClusterInst(cluster: ClusterInst): void {
  if (cluster.deployment === "") cluster.deployment = CLUSTER_DEPLOYMENT;
  if (cluster.ipAccess === IpAccess.IP_ACCESS_UNKNOWN) cluster.ipAccess = IpAccess.IP_ACCESS_SHARED;
}

/** Checks a new cluster (specification 3.9). */
export function checkClusterInst(cluster: ClusterInst, issues: Issues): void {
  checkClusterName(issues, "key.cluster_key.name", cluster.key.clusterKey.name);
  checkName(issues, "key.cloudlet_key.organization", cluster.key.cloudletKey.organization);
  checkName(issues, "key.cloudlet_key.name", cluster.key.cloudletKey.name);
  checkName(issues, "key.organization", cluster.key.organization);
  const hint = cluster.deployment === "vm" ? ": a vm app needs no cluster, create its instance directly" : "";
  issues.check(
    cluster.deployment === CLUSTER_DEPLOYMENT,
    "deployment",
    cluster.deployment,
    `must be ${CLUSTER_DEPLOYMENT}: others have no platform yet${hint}`,
  );
  issues.check(
    cluster.ipAccess === IpAccess.IP_ACCESS_SHARED,
    "ip_access",
    "Dedicated",
    "must be Shared: the platform has no load balancers of a cluster's own",
  );
}
