import type { JsonValue } from "../../../../shared/schema/mod.ts";
import type { ObjectTx } from "./object_tx.ts";
import { clusterRefsRow } from "./rows.ts";

/** What an instance holds of its cluster. */
export interface ClusterMember {
  /** A cluster that is lent stays with its organization as long as it has such instances. */
  readonly lent?: boolean;
  /** Ports on the cluster's own load balancer, e.g. "tcp:443" or "udp:5000-5010". */
  readonly ports?: readonly string[];
  /** Thousandths of virtual CPUs, and megabytes, that are kept free for it in a cluster that organizations share. */
  readonly milliCpus?: number;
  readonly ramMb?: number;
}

/** Instances by their identifiers. */
export type ClusterMembers = Readonly<Record<string, ClusterMember>>;

/**
 * The instances that a cluster's row knows of. Only clusters of which instances hold something keep one: those that are
 * lent, that organizations share, and that have a load balancer.
 */
export async function readMembers(tx: ObjectTx, clusterKey: string): Promise<ClusterMembers> {
  return (await tx.getRow(clusterRefsRow(clusterKey)) as unknown as ClusterMembers | undefined) ?? {};
}

/** Notes an instance in its cluster, or what it holds there anew. */
export async function joinCluster(
  tx: ObjectTx,
  clusterKey: string,
  uniqueId: string,
  member: ClusterMember,
): Promise<void> {
  const members = { ...await readMembers(tx, clusterKey), [uniqueId]: member };
  tx.putRow(clusterRefsRow(clusterKey), members as unknown as JsonValue);
}

/** Takes an instance out of its cluster. Returns whether it was the last for which the cluster was lent. */
export async function leaveCluster(tx: ObjectTx, clusterKey: string, uniqueId: string): Promise<boolean> {
  const { [uniqueId]: gone, ...left } = await readMembers(tx, clusterKey);
  if (gone === undefined) return false;
  const members = Object.values(left);
  if (members.length === 0) tx.removeRow(clusterRefsRow(clusterKey));
  else tx.putRow(clusterRefsRow(clusterKey), left as unknown as JsonValue);
  return gone.lent === true && !members.some(({ lent }) => lent === true);
}

/** Forgets a cluster that goes. */
export function dropMembers(tx: ObjectTx, clusterKey: string): void {
  tx.removeRow(clusterRefsRow(clusterKey));
}
