import {
  CloudletKind,
  type ClusterInst,
  ClusterInstKind,
  IpAccess,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import { refuse } from "../../faults.ts";
import { platformOf, settleOnPlatform } from "../../rules/cluster_inst.ts";
import { clusterLabel, type DnsZone, MAX_OBJECT_LABEL_CHARACTERS, objectFqdn } from "../../rules/dns_labels.ts";
import { Issues } from "../../rules/issues.ts";
import { dropMembers } from "../../state/cluster_refs.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { requireReferences } from "../../state/references.ts";
import { objectLabelRow } from "../../state/rows.ts";
import { takeName } from "../labels.ts";
import { giveBackClusterInst, type Site } from "../resources/mod.ts";
import { clampToPolicy, requireNetworks } from "./policies.ts";
import { takeForCluster } from "./resources.ts";

/**
 * Completes a new cluster and stores it, in the caller's transaction: what the site can do, what the cluster refers to,
 * its size on the infrastructure, its name (specification 3.9, steps 5 to 11).
 *
 * @param before the same cluster whose deletion failed; it keeps its names
 */
export async function admitCluster(
  tx: ObjectTx,
  zone: DnsZone,
  cluster: ClusterInst,
  site: Site,
  options: {
    before?: ClusterInst;
    /** The site is not asked: the cluster counts as made. */
    ready?: boolean;
    /** It is the only cluster of a site that is one: nobody makes it, and it takes nothing. */
    only?: boolean;
  } = {},
): Promise<void> {
  const { before } = options;
  await requireReferences(tx, ClusterInstKind, cluster);
  if (options.only) cluster.ipAccess = IpAccess.IP_ACCESS_SHARED;
  else {
    const issues = new Issues();
    settleOnPlatform(cluster, platformOf(site.cloudlet), issues);
    refuse(issues.list);
    await clampToPolicy(tx, cluster);
    await requireNetworks(tx, cluster);
    await takeForCluster(tx, site, cluster);
  }
  await nameCluster(tx, zone, cluster, site, before);
  cluster.state = options.ready ? TrackedState.READY : TrackedState.CREATE_REQUESTED;
  cluster.errors = [];
  cluster.deletePrepare = false;
  tx.put(ClusterInstKind, cluster);
}

async function nameCluster(
  tx: ObjectTx,
  zone: DnsZone,
  cluster: ClusterInst,
  { cloudlet }: Site,
  before: ClusterInst | undefined,
): Promise<void> {
  cluster.dnsLabel = before?.dnsLabel || await takeName(
    tx,
    clusterLabel(cluster.key),
    MAX_OBJECT_LABEL_CHARACTERS,
    (label) => objectLabelRow(cloudlet.dnsLabel, label),
    ["shared"],
  );
  cluster.fqdn = cluster.ipAccess === IpAccess.IP_ACCESS_DEDICATED
    ? objectFqdn(cluster.dnsLabel, cloudlet.dnsLabel, zone)
    : cloudlet.rootLbFqdn;
}

/** Removes a cluster with its label, and what it holds of the site. */
export async function removeClusterInst(tx: ObjectTx, cluster: ClusterInst): Promise<void> {
  const key = ClusterInstKind.keyString(cluster.key);
  const cloudlet = await tx.get(CloudletKind, CloudletKind.keyString(cluster.key.cloudletKey));
  if (cloudlet) tx.removeRow(objectLabelRow(cloudlet.dnsLabel, cluster.dnsLabel));
  await giveBackClusterInst(tx, cluster);
  dropMembers(tx, key);
  tx.remove(ClusterInstKind, key);
}
