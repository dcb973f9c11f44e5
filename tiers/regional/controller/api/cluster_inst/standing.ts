import {
  AutoScalePolicy,
  AutoScalePolicyKind,
  type Cloudlet,
  CloudletInfoKind,
  CloudletKind,
  ClusterInst,
  ClusterInstKind,
  CRMOverride,
  dme,
  type Flavor,
  FlavorKind,
  Liveness,
} from "../../../../../shared/schema/mod.ts";
import { RpcError } from "../../../../../shared/rpc/mod.ts";
import type { ApiContext } from "../../context.ts";
import { KeyedQueue } from "../../operations/keyed_queue.ts";
import { DEFAULT_MULTI_TENANT_CLUSTER, NO_CLUSTER } from "../../rules/cluster_names.ts";
import { platformOf } from "../../rules/cluster_inst.ts";
import { NO_OVERRIDE, overrideOf } from "../../rules/crm_override.ts";
import { isDeletePrepared, type ObjectTx } from "../../state/object_tx.ts";
import { openSite } from "../site_work.ts";
import { admitCluster } from "./admit.ts";
import { awaitCluster } from "./create.ts";
import { deleteClusterInst } from "./remove.ts";

/** Nodes of the cluster in which apps of all developers run (specification 4.5). */
const SHARED_CLUSTER_NODES = 3;
/** Bounds and aims by which its nodes come and go. */
const SHARED_CLUSTER_SCALE = { minNodes: 1, maxNodes: 4, targetCpu: 70, targetMem: 80, stabilizationWindowSec: 300 };

/**
 * Keeps the clusters that cloudlets have by themselves: the one in which apps of all developers run, where the operator
 * wants it and once the site is ready (specification 4.5), and the only one of a site that is one cluster. Returns what
 * ends that.
 */
export function keepStandingClusters(context: ApiContext): () => Promise<void> {
  const { region, log } = context;
  let stopped = false;
  const queue = new KeyedQueue(async (task) => {
    try {
      if (!stopped) await task();
    } catch (error) {
      log.warn("A cluster that a cloudlet has by itself could not be made or deleted", {
        reason: RpcError.from(error).message,
      });
    }
  });
  const look = (key: string) => queue.submit(key, () => settle(context, key));
  for (const key of region.cache.table(CloudletKind).keys()) look(key);
  const unsubscribe = region.cache.subscribe(({ objects }) => {
    for (const { kind, keyString, object, old } of objects) {
      if (object === undefined) continue;
      if (kind.kind === CloudletKind.kind && wishOf(object as Cloudlet) !== wishOf(old as Cloudlet | undefined)) {
        look(keyString);
      }
      const cameUp = kind.kind === CloudletInfoKind.kind && isReady(object) && !isReady(old);
      if (cameUp) look(keyString);
    }
  });
  return async () => {
    stopped = true;
    unsubscribe();
    await queue.settled();
  };
}

/** What of a cloudlet decides about its standing clusters. */
function wishOf(cloudlet: Cloudlet | undefined): string {
  return cloudlet === undefined ? "" : `${cloudlet.platformType} ${cloudlet.enableDefaultServerlessCluster}`;
}

function isReady(info: unknown): boolean {
  return (info as { state?: dme.CloudletState } | undefined)?.state === dme.CloudletState.CLOUDLET_STATE_READY;
}

async function settle(context: ApiContext, cloudletKey: string): Promise<void> {
  const { cache } = context.region;
  const cloudlet = cache.get(CloudletKind, cloudletKey);
  if (cloudlet === undefined || isDeletePrepared(cloudlet)) return;
  const { features } = platformOf(cloudlet);
  if (features.singleCluster) return await makeOnlyCluster(context, cloudlet);
  if (!features.multiTenantClusters || !isReady(cache.get(CloudletInfoKind, cloudletKey))) return;
  const key = ClusterInstKind.keyString(keyOf(cloudlet, DEFAULT_MULTI_TENANT_CLUSTER, context.platformOrg));
  const exists = cache.get(ClusterInstKind, key) !== undefined;
  if (cloudlet.enableDefaultServerlessCluster && !exists) await makeShared(context, cloudlet, key);
  else if (!cloudlet.enableDefaultServerlessCluster && exists) await removeShared(context, key);
}

function keyOf({ key }: Cloudlet, name: string, organization: string): ClusterInst["key"] {
  return { clusterKey: { name }, cloudletKey: { ...key }, organization };
}

/** The largest flavor without accelerators, by processors, memory and disk; undefined when there is none. */
function largestFlavor(flavors: Iterable<Flavor>): Flavor | undefined {
  return [...flavors].filter((flavor) => Object.keys(flavor.optResMap).length === 0 && !isDeletePrepared(flavor))
    .toSorted((a, b) => b.vcpus - a.vcpus || b.ram - a.ram || b.disk - a.disk)[0];
}

async function makeShared(context: ApiContext, cloudlet: Cloudlet, key: string): Promise<void> {
  const { region, zone, platformOrg, operations, log } = context;
  const flavor = largestFlavor(region.cache.table(FlavorKind).values());
  if (flavor === undefined) return log.warn("No flavor for the shared cluster of a cloudlet", { cluster: key });
  const scaled = platformOf(cloudlet).features.clusterAutoScale;
  const progress = operations.run(ClusterInstKind, key, "create", async (operation) => {
    const isNew = await region.change(async (tx) => {
      await operation.claim(tx, { timeoutMs: context.timeouts.createClusterInstMs });
      if (await tx.get(ClusterInstKind, key) !== undefined) return false;
      const site = await openSite(tx, cloudlet.key, { override: NO_OVERRIDE });
      if (scaled) await putScalePolicy(tx, platformOrg);
      const cluster = ClusterInst.create({
        key: keyOf(cloudlet, DEFAULT_MULTI_TENANT_CLUSTER, platformOrg),
        flavor: flavor.key,
        deployment: "kubernetes",
        numMasters: 1,
        numNodes: SHARED_CLUSTER_NODES,
        multiTenant: true,
        liveness: Liveness.LIVENESS_DYNAMIC,
        autoScalePolicy: scaled ? DEFAULT_MULTI_TENANT_CLUSTER : "",
      });
      await admitCluster(tx, zone, cluster, site);
      return true;
    });
    if (isNew) await awaitCluster(context, operation, key, NO_OVERRIDE);
  });
  for await (const _ of progress.read(new AbortController().signal));
  log.info("Shared cluster of a cloudlet made", { cluster: key });
}

async function putScalePolicy(tx: ObjectTx, organization: string): Promise<void> {
  const key = { organization, name: DEFAULT_MULTI_TENANT_CLUSTER };
  if (await tx.get(AutoScalePolicyKind, AutoScalePolicyKind.keyString(key)) !== undefined) return;
  tx.put(AutoScalePolicyKind, AutoScalePolicy.create({ key, ...SHARED_CLUSTER_SCALE }));
}

async function removeShared(context: ApiContext, key: string): Promise<void> {
  const progress = context.operations.run(
    ClusterInstKind,
    key,
    "delete",
    (operation) => deleteClusterInst(context, operation, key, { override: NO_OVERRIDE }),
  );
  for await (const _ of progress.read(new AbortController().signal));
  context.log.info("Shared cluster of a cloudlet deleted", { cluster: key });
}

/** The only cluster of a site is there without anybody making it; the region only has to know of it. */
async function makeOnlyCluster(context: ApiContext, { key: cloudletKey, ...rest }: Cloudlet): Promise<void> {
  const { region, platformOrg, log } = context;
  const owner = rest.singleKubernetesClusterOwner;
  const key = { clusterKey: { name: NO_CLUSTER }, cloudletKey, organization: owner || platformOrg };
  const keyString = ClusterInstKind.keyString(key);
  if (region.cache.get(ClusterInstKind, keyString) !== undefined) return;
  const flavor = largestFlavor(region.cache.table(FlavorKind).values());
  if (flavor === undefined) return log.warn("No flavor for the only cluster of a cloudlet", { cluster: keyString });
  await region.change(async (tx) => {
    if (await tx.get(ClusterInstKind, keyString) !== undefined) return;
    const site = await openSite(tx, cloudletKey, { override: overrideOf(CRMOverride.IGNORE_CRM) });
    const cluster = ClusterInst.create({
      key,
      flavor: flavor.key,
      deployment: "kubernetes",
      numMasters: 1,
      multiTenant: owner === "",
      liveness: Liveness.LIVENESS_DYNAMIC,
    });
    await admitCluster(tx, context.zone, cluster, site, { ready: true, only: true });
  });
}
