import {
  AutoScalePolicyKind,
  type ClusterInst,
  enumText,
  IpAccess,
  NetworkConnectionType,
  NetworkKind,
} from "../../../../../shared/schema/mod.ts";
import { refuse } from "../../faults.ts";
import { Issues } from "../../rules/issues.ts";
import type { ObjectTx } from "../../state/object_tx.ts";

/** Brings the number of worker nodes between the bounds of the cluster's scale policy (specification 3.9, step 6). */
export async function clampToPolicy(tx: ObjectTx, cluster: ClusterInst): Promise<void> {
  const { autoScalePolicy: name, key: { organization } } = cluster;
  if (name === "") return;
  const policy = await tx.requireUsable(AutoScalePolicyKind, AutoScalePolicyKind.keyString({ organization, name }));
  cluster.numNodes = Math.min(Math.max(cluster.numNodes, policy.minNodes), policy.maxNodes);
}

/** Networks of a cluster behind the shared load balancer reach its nodes alone (specification 3.9, step 10). */
export async function requireNetworks(tx: ObjectTx, cluster: ClusterInst): Promise<void> {
  const { cloudletKey } = cluster.key;
  const issues = new Issues();
  for (const [i, name] of cluster.networks.entries()) {
    issues.check(cluster.networks.indexOf(name) === i, `networks[${i}]`, name, "is named twice");
    const network = await tx.requireUsable(NetworkKind, NetworkKind.keyString({ cloudletKey, name }));
    if (cluster.ipAccess !== IpAccess.IP_ACCESS_SHARED) continue;
    issues.check(
      network.connectionType === NetworkConnectionType.CONNECT_TO_CLUSTER_NODES,
      `networks[${i}]`,
      name,
      `is of type ${
        enumText(NetworkConnectionType, network.connectionType)
      }, but a cluster without a load balancer of ` +
        "its own takes ConnectToClusterNodes only",
    );
  }
  refuse(issues.list);
}
