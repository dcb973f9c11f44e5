import { type App, type ClusterInst, ClusterInstKind, FlavorKind } from "../../../../../shared/schema/mod.ts";
import { isSidecar } from "../../rules/deployments.ts";
import { type ClusterMember, readMembers } from "../../state/cluster_refs.ts";
import type { ObjectTx } from "../../state/object_tx.ts";

const MILLI = 1000;

/** What an app keeps for itself in a cluster that organizations share: its share times its least number of replicas. */
export function shareOf({ serverlessConfig }: App): Required<Pick<ClusterMember, "milliCpus" | "ramMb">> {
  const replicas = Math.max(1, serverlessConfig?.minReplicas ?? 1);
  return {
    milliCpus: Math.ceil(Number(serverlessConfig?.vcpus || 0) * MILLI) * replicas,
    ramMb: (serverlessConfig?.ram ?? 0) * replicas,
  };
}

/** Whether the nodes of a shared cluster have room for an instance of the app beside those that are in it. */
export async function hasRoomFor(tx: ObjectTx, cluster: ClusterInst, app: App): Promise<boolean> {
  if (isSidecar(app)) return true;
  const flavor = await tx.get(FlavorKind, FlavorKind.keyString(cluster.flavor));
  if (flavor === undefined) return false;
  const nodes = Math.max(1, cluster.numNodes);
  const share = shareOf(app);
  let milliCpus = share.milliCpus;
  let ramMb = share.ramMb;
  for (const member of Object.values(await readMembers(tx, ClusterInstKind.keyString(cluster.key)))) {
    milliCpus += member.milliCpus ?? 0;
    ramMb += member.ramMb ?? 0;
  }
  return milliCpus <= flavor.vcpus * nodes * MILLI && ramMb <= flavor.ram * nodes;
}
