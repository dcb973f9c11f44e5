import { GPUS } from "../../../../shared/platform_types/mod.ts";
import {
  type AppInstKey,
  AppInstRefKey,
  type CloudletRefs,
  type ClusterInstKey,
  ClusterInstRefKey,
  fromJson,
  HeldResources,
  type InfraResourcesSnapshot,
  type MessageType,
  toJson,
} from "../../../../shared/schema/mod.ts";
import { type Amounts, NODES_PER_CLUSTER, type ResourceNeeds } from "./resource_needs.ts";

/** Whoever takes resources of a cloudlet, named by its list and key; see {@linkcode clusterHolder} and its like. */
export type Holder = string & { readonly _holder: true };

const CLUSTERS = "ClusterInst/";
const VM_APPS = "VmAppInst/";
const CLUSTER_APPS = "K8sAppInst/";

/** A cluster as a holder. */
export function clusterHolder({ clusterKey, organization }: ClusterInstKey): Holder {
  return clusterRefHolder(ClusterInstRefKey.create({ clusterKey, organization }));
}

/** An app instance as a holder. */
export function appInstHolder(key: AppInstKey, deployment: string): Holder {
  const { clusterKey, organization } = key.clusterInstKey;
  return appRefHolder(
    deployment === "vm" ? VM_APPS : CLUSTER_APPS,
    AppInstRefKey.create({ appKey: key.appKey, clusterInstKey: { clusterKey, organization } }),
  );
}

function clusterRefHolder(ref: ClusterInstRefKey): Holder {
  return CLUSTERS + JSON.stringify(toJson(ClusterInstRefKey, ref, "store")) as Holder;
}

function appRefHolder(list: string, ref: AppInstRefKey): Holder {
  return list + JSON.stringify(toJson(AppInstRefKey, ref, "store")) as Holder;
}

/** The holders that a site has counted in its snapshot. */
export function countedHolders(snapshot: InfraResourcesSnapshot): Set<Holder> {
  return new Set([
    ...snapshot.clusterInsts.map(clusterRefHolder),
    ...snapshot.vmAppInsts.map((ref) => appRefHolder(VM_APPS, ref)),
    ...snapshot.k8sAppInsts.map((ref) => appRefHolder(CLUSTER_APPS, ref)),
  ]);
}

/** Keys of the holders of a cloudlet, in their lists. */
export function holderLists(
  refs: CloudletRefs,
): { clusterInsts: ClusterInstRefKey[]; vmAppInsts: AppInstRefKey[]; k8sAppInsts: AppInstRefKey[] } {
  const keys = Object.keys(refs.held).sort();
  const list = <T>(prefix: string, read: (json: string) => T) =>
    keys.filter((key) => key.startsWith(prefix)).map((key) => read(key.slice(prefix.length)));
  const app = (json: string) => fromStored(AppInstRefKey, json);
  return {
    clusterInsts: list(CLUSTERS, (json) => fromStored(ClusterInstRefKey, json)),
    vmAppInsts: list(VM_APPS, app),
    k8sAppInsts: list(CLUSTER_APPS, app),
  };
}

/** Notes what a holder takes, in the place of what it had before. */
export function hold(refs: CloudletRefs, holder: Holder, needs: ResourceNeeds): void {
  letGo(refs, holder);
  refs.held[holder] = HeldResources.create({
    amounts: { ...needs.amounts },
    flavors: { ...needs.flavors },
    dynamicIps: needs.dynamicIps,
  });
  add(refs, needs, 1);
}

/** Takes back what a holder had; one that had nothing is left alone. */
export function letGo(refs: CloudletRefs, holder: Holder): void {
  const held = refs.held[holder];
  if (held === undefined) return;
  delete refs.held[holder];
  add(refs, held, -1);
}

/** Changes the sums alone, for what takes little and comes in great numbers: nobody could list it in one row. */
export function addToSums(refs: CloudletRefs, needs: ResourceNeeds, sign: 1 | -1): void {
  add(refs, needs, sign);
}

/** How much is taken of a resource, by everything that the controller knows of. */
export function takenOf(refs: CloudletRefs, name: string): number {
  if (name !== NODES_PER_CLUSTER) return refs.used[name] ?? 0;
  return Math.max(0, ...Object.values(refs.held).map(({ amounts }) => amounts[name] ?? 0));
}

/** Optional resources that are taken, by their own names. */
export function optionalResources(refs: CloudletRefs): Record<string, number> {
  const gpus = refs.used[GPUS] ?? 0;
  return gpus === 0 ? {} : { gpu: gpus };
}

function add(refs: CloudletRefs, { amounts, flavors, dynamicIps }: ResourceNeeds, sign: 1 | -1): void {
  addAll(refs.used, amounts, sign);
  addAll(refs.usedFlavors, flavors, sign);
  refs.usedDynamicIps = Math.max(0, refs.usedDynamicIps + sign * dynamicIps);
}

function addAll(sums: Record<string, number>, amounts: Amounts, sign: 1 | -1): void {
  for (const [name, amount] of Object.entries(amounts)) {
    const sum = (sums[name] ?? 0) + sign * amount;
    if (sum > 0) sums[name] = sum;
    else delete sums[name];
  }
}

function fromStored<T>(type: MessageType<T>, json: string): T {
  return fromJson(type, JSON.parse(json), "store");
}
