import type { AppInst } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";
import { checkName, NO_CLUSTER } from "./names.ts";

/** Prefix of cluster names that ask for a cluster to be found or made (specification 0.8). */
const AUTO_CLUSTER_PREFIX = "autocluster";

/** Fills in the key of a new instance (specification 3.10, step 2). */
export function defaultAppInstKey(instance: AppInst): void {
  const cluster = instance.key.clusterInstKey;
  if (cluster.clusterKey.name === "") cluster.clusterKey.name = NO_CLUSTER;
  if (cluster.organization === "") cluster.organization = instance.key.appKey.organization;
}

/** Checks what can be said of a new instance without looking at other objects. */
export function checkAppInst(instance: AppInst, issues: Issues): void {
  const { appKey, clusterInstKey } = instance.key;
  checkName(issues, "key.app_key.organization", appKey.organization);
  checkName(issues, "key.app_key.name", appKey.name);
  checkName(issues, "key.app_key.version", appKey.version);
  checkName(issues, "key.cluster_inst_key.cloudlet_key.organization", clusterInstKey.cloudletKey.organization);
  checkName(issues, "key.cluster_inst_key.cloudlet_key.name", clusterInstKey.cloudletKey.name);
  checkName(issues, "key.cluster_inst_key.organization", clusterInstKey.organization);
  issues.check(
    !clusterInstKey.clusterKey.name.startsWith(AUTO_CLUSTER_PREFIX),
    "key.cluster_inst_key.cluster_key.name",
    clusterInstKey.clusterKey.name,
    "must name a cluster: clusters are not made automatically",
  );
}
