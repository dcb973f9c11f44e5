import { type ClusterInst, ClusterInstKind } from "../../../../../shared/schema/mod.ts";
import { isSidecar } from "../../rules/deployments.ts";
import type { DnsZone } from "../../rules/dns_labels.ts";
import { joinCluster, leaveCluster } from "../../state/cluster_refs.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { admitCluster } from "../cluster_inst/admit.ts";
import { shareOf } from "./shared_room.ts";
import type { ClusterWish, Selection } from "./wish.ts";

/**
 * Takes what was selected for an instance, whose identifier is settled by now: lends the cluster, stores a new one, and
 * notes the instance in it.
 *
 * @param ready the site is not asked: a new cluster counts as made
 */
export async function applySelection(
  tx: ObjectTx,
  zone: DnsZone,
  selection: Selection,
  { app, instance, site }: ClusterWish,
  ready: boolean,
): Promise<void> {
  if (selection.kind === "none") {
    instance.realClusterName = "";
    return;
  }
  const { cluster } = selection;
  const organization = instance.key.appKey.organization;
  instance.realClusterName = cluster.key.clusterKey.name;
  if (selection.kind === "new") {
    cluster.reservedBy = organization;
    await admitCluster(tx, zone, cluster, site, { ready });
  } else if (selection.reserve) lend(tx, cluster, organization);
  const lent = cluster.reservable && !isSidecar(app);
  if (!lent && !cluster.multiTenant) return;
  await joinCluster(tx, ClusterInstKind.keyString(cluster.key), instance.uniqueId, {
    ...(lent && { lent }),
    ...(cluster.multiTenant && !isSidecar(app) && shareOf(app)),
  });
}

function lend(tx: ObjectTx, cluster: ClusterInst, organization: string): void {
  if (cluster.reservedBy === organization) return;
  tx.put(ClusterInstKind, { ...cluster, reservedBy: organization, reservationEndedAt: undefined });
}

/** Takes an instance out of its cluster; the last one of a loan ends it (specification 4.4). */
export async function leaveSelected(tx: ObjectTx, clusterKey: string, uniqueId: string): Promise<void> {
  if (!await leaveCluster(tx, clusterKey, uniqueId)) return;
  const cluster = await tx.get(ClusterInstKind, clusterKey);
  if (cluster === undefined || cluster.reservedBy === "") return;
  tx.put(ClusterInstKind, { ...cluster, reservedBy: "", reservationEndedAt: tx.now });
}
