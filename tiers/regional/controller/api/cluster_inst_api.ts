import type { Handlers } from "../../../../shared/rpc/mod.ts";
import {
  AppInstKind,
  CloudletKind,
  type ClusterInst,
  type ClusterInstApi,
  ClusterInstKind,
  enumText,
  FlavorKind,
  Liveness,
  matches,
  PlatformType,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { alreadyExists, failedPrecondition } from "../faults.ts";
import type { Operation } from "../operations/operations.ts";
import { checkClusterInst, defaultClusterInst } from "../rules/cluster_inst.ts";
import { clusterLabel, MAX_OBJECT_LABEL_CHARACTERS } from "../rules/dns_labels.ts";
import { deploymentOf } from "../rules/platforms.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import type { Reference } from "../state/references.ts";
import type { RegionCache } from "../state/region_cache.ts";
import { objectLabelRow } from "../state/rows.ts";
import { prepareDeletion } from "./deletion.ts";
import { takeName } from "./labels.ts";
import { readKey, readNew, show } from "./requests.ts";
import {
  requireWorkingCloudlet,
  siteFailure,
  STILL_IN_PROGRESS,
  timedOut,
  waitCreated,
  waitDeleted,
} from "./site_work.ts";

/** Handlers of ClusterInstApi. */
export function clusterInstApi(context: ApiContext): Handlers<typeof ClusterInstApi> {
  const { region, operations } = context;
  return {
    createClusterInst(request, call) {
      const cluster = readNew(ClusterInstKind, request, { defaults: defaultClusterInst, check: checkClusterInst });
      const key = ClusterInstKind.keyString(cluster.key);
      return operations.run(ClusterInstKind, key, "create", (operation) => create(context, operation, key, cluster))
        .read(call.signal);
    },
    deleteClusterInst(request, call) {
      const key = readKey(ClusterInstKind, request);
      return operations.run(ClusterInstKind, key, "delete", (operation) => remove(context, operation, key))
        .read(call.signal);
    },
    showClusterInst: (request, call) =>
      show(region.cache, ClusterInstKind, (cluster) => matches(ClusterInstKind.message, request, cluster), call),
  };
}

async function create(context: ApiContext, operation: Operation, key: string, wanted: ClusterInst): Promise<void> {
  const { region, timeouts } = context;
  await region.change(async (tx) => {
    await operation.claim(tx);
    const cluster = ClusterInstKind.message.create(wanted);
    const before = await tx.get(ClusterInstKind, key);
    if (before && before.state !== TrackedState.DELETE_ERROR) {
      for (const error of before.errors) operation.progress.line(`Previous error: ${error}`);
      throw alreadyExists(ClusterInstKind, key);
    }
    const cloudlet = await requireWorkingCloudlet(tx, cluster.key.cloudletKey);
    await tx.requireUsable(FlavorKind, FlavorKind.keyString(cluster.flavor));
    if (deploymentOf(cluster.deployment)?.platform !== cloudlet.platformType) {
      throw failedPrecondition(
        `Cloudlet ${CloudletKind.keyString(cloudlet.key)} of platform ${
          enumText(PlatformType, cloudlet.platformType)
        } has no ${cluster.deployment} clusters`,
      );
    }
    cluster.dnsLabel = before?.dnsLabel ||
      await takeName(
        tx,
        clusterLabel(cluster.key),
        MAX_OBJECT_LABEL_CHARACTERS,
        (label) => objectLabelRow(cloudlet.dnsLabel, label),
        ["shared"],
      );
    cluster.fqdn = cloudlet.rootLbFqdn;
    cluster.liveness = Liveness.LIVENESS_STATIC;
    cluster.state = TrackedState.CREATE_REQUESTED;
    tx.put(ClusterInstKind, cluster);
  });
  const outcome = await waitCreated(operation, ClusterInstKind, key, timeouts.createClusterInstMs);
  switch (outcome.kind) {
    case "ready":
      return operation.progress.line("Created cluster instance");
    case "working":
      return operation.progress.line("The cloudlet is still creating the cluster instance", STILL_IN_PROGRESS);
    case "failed":
    case "silent":
    case "gone":
      await undoCreate(context, key);
      throw outcome.kind === "failed" ? siteFailure(outcome.errors) : timedOut("the cloudlet did not begin");
  }
}

/** Removes a cluster that its site failed to make; the site has cleaned up behind itself. */
async function undoCreate({ region }: ApiContext, key: string): Promise<void> {
  await region.change(async (tx) => {
    const cluster = await tx.get(ClusterInstKind, key);
    if (cluster?.state === TrackedState.CREATE_ERROR || cluster?.state === TrackedState.CREATE_REQUESTED) {
      await removeClusterInst(tx, cluster);
    }
  });
}

async function remove(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { region, timeouts } = context;
  await prepareDeletion(context, operation, ClusterInstKind, key, {
    check: async (tx, cluster) => void await requireWorkingCloudlet(tx, cluster.key.cloudletKey, { deleting: true }),
    referrers: () => instancesIn(region.cache, key),
  });
  await region.change(async (tx) => {
    const cluster = await tx.get(ClusterInstKind, key);
    if (cluster) tx.put(ClusterInstKind, { ...cluster, state: TrackedState.DELETE_REQUESTED, errors: [] });
  });
  const outcome = await waitDeleted(operation, ClusterInstKind, key, timeouts.deleteClusterInstMs);
  switch (outcome.kind) {
    case "gone":
      return operation.progress.line("Deleted cluster instance");
    case "working":
      return operation.progress.line("The cloudlet is still deleting the cluster instance", STILL_IN_PROGRESS);
    case "silent":
      throw timedOut("the cloudlet did not begin; it deletes the cluster instance when it can");
    case "failed":
    case "ready":
      await region.change(async (tx) => {
        const cluster = await tx.get(ClusterInstKind, key);
        if (cluster?.state !== TrackedState.DELETE_ERROR) return;
        tx.put(ClusterInstKind, { ...cluster, state: TrackedState.READY, deletePrepare: false, errors: [] });
      });
      throw siteFailure(outcome.kind === "failed" ? outcome.errors : []);
  }
}

/** Removes a cluster and its label. */
export async function removeClusterInst(tx: ObjectTx, cluster: ClusterInst): Promise<void> {
  const cloudlet = await tx.get(CloudletKind, CloudletKind.keyString(cluster.key.cloudletKey));
  if (cloudlet) tx.removeRow(objectLabelRow(cloudlet.dnsLabel, cluster.dnsLabel));
  tx.remove(ClusterInstKind, ClusterInstKind.keyString(cluster.key));
}

/** Instances name their cluster by a key of their own that reads the same. */
function instancesIn(cache: RegionCache, key: string): Reference[] {
  return [...cache.table(AppInstKind)]
    .filter(([, instance]) => ClusterInstKind.keyString(instance.key.clusterInstKey) === key)
    .map(([keyString]) => ({ kind: AppInstKind, keyString }));
}
