import {
  type App,
  type AppInst,
  type ClusterInst,
  type ClusterInstKey,
  ClusterInstKind,
  enumText,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import { failedPrecondition } from "../../faults.ts";
import { clusterDeploymentOf } from "../../rules/deployments.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import type { Site } from "../resources/mod.ts";

/** The cluster in which a new instance will run (specification 4.4). */
export type Selection =
  /** It needs none. */
  | { readonly kind: "none" }
  /** One that is there; `reserve`: it is lent to the instance's organization from now on. */
  | { readonly kind: "existing"; readonly cluster: ClusterInst; readonly reserve: boolean }
  /** One that is not there yet; it is lent to the instance's organization. */
  | { readonly kind: "new"; readonly cluster: ClusterInst };

/** What a selection is made for. The instance's flavor is settled, its cluster is not. */
export interface ClusterWish {
  readonly app: App;
  readonly instance: AppInst;
  readonly site: Site;
  /** Organization of the platform's own clusters. */
  readonly platformOrg: string;
  /** Cluster that the instance, which is made anew, has left in this transaction; the cache does not know that yet. */
  readonly freed?: string;
}

/** Key of a cluster on an instance's cloudlet, of the organization that the instance's key names. */
export function realKey({ key }: AppInst, name: string): ClusterInstKey {
  const { cloudletKey, organization } = key.clusterInstKey;
  return { clusterKey: { name }, cloudletKey: { ...cloudletKey }, organization };
}

/** The cluster; throws unless it is there, is ready and stays. */
export async function requireReady(tx: ObjectTx, key: ClusterInstKey): Promise<ClusterInst> {
  const keyString = ClusterInstKind.keyString(key);
  const cluster = await tx.requireUsable(ClusterInstKind, keyString);
  if (cluster.state === TrackedState.READY) return cluster;
  const state = enumText(TrackedState, cluster.state);
  throw failedPrecondition(`Cluster ${keyString} is not ready: its state is ${state}`);
}

/** Throws unless apps of this deployment run in the cluster. */
export function requireDeployment(cluster: ClusterInst, app: App): void {
  if (cluster.deployment === clusterDeploymentOf(app.deployment)) return;
  const key = ClusterInstKind.keyString(cluster.key);
  throw failedPrecondition(`Cluster ${key} is for ${cluster.deployment}, not for ${app.deployment}`);
}

/** Key string of the cluster in which an instance runs; undefined when it runs in none. */
export function clusterKeyOf(instance: AppInst): string | undefined {
  if (instance.realClusterName === "") return undefined;
  return ClusterInstKind.keyString(realKey(instance, instance.realClusterName));
}
