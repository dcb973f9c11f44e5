import { AppInstKind, type ClusterInst, ClusterInstKind, TrackedState } from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { inUse } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import type { Override } from "../../rules/crm_override.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { deleteWithOwner, staysWithoutOwner } from "../app_inst/cascade.ts";
import { openSite, siteFailure, siteTimeout, STILL_IN_PROGRESS, timedOut, waitDeleted } from "../site_work.ts";
import { removeClusterInst } from "./admit.ts";

/** How a cluster is deleted. */
export interface ClusterRemoval {
  readonly override: Override;
  /** The whole cloudlet goes: it need not be ready. */
  readonly withCloudlet?: boolean;
  /** Refuses the deletion for a reason of the caller's, in the transaction that begins it. */
  check?(tx: ObjectTx, cluster: ClusterInst): Promise<void> | void;
}

/**
 * DeleteClusterInst, as an operation: marks the cluster so that nothing new can refer to it, takes the instances along
 * that go with it, and has the site remove it (specification 4.1, 5.1).
 */
export async function deleteClusterInst(
  context: ApiContext,
  operation: Operation,
  key: string,
  removal: ClusterRemoval,
): Promise<void> {
  const { region } = context;
  const { override } = removal;
  const before = await region.change(async (tx) => {
    await operation.claim(tx);
    const cluster = await tx.require(ClusterInstKind, key);
    if (removal.withCloudlet !== true) await openSite(tx, cluster.key.cloudletKey, { override, deleting: true });
    await removal.check?.(tx, cluster);
    // The mark alone says that a deletion has begun, so that a controller that dies here loses nothing of the state.
    tx.put(ClusterInstKind, { ...cluster, deletePrepare: true });
    return cluster;
  });
  try {
    await emptyCluster(context, operation, key, before, removal);
  } catch (error) {
    await restore(context, operation, key);
    throw error;
  }
  if (override.ignoresSite) {
    await region.change(async (tx) => {
      const cluster = await tx.get(ClusterInstKind, key);
      if (cluster) await removeClusterInst(tx, cluster);
    });
    return operation.progress.line("Deleted cluster instance, without its site");
  }
  await region.change(async (tx) => {
    const cluster = await tx.get(ClusterInstKind, key);
    await operation.note(tx, {
      timeoutMs: siteTimeout(context, ClusterInstKind.parseKey(key).cloudletKey, "deleteClusterInstMs"),
    });
    if (cluster) tx.put(ClusterInstKind, { ...cluster, state: TrackedState.DELETE_REQUESTED, errors: [] });
  });
  await awaitClusterGone(context, operation, key, override);
}

/** Second half of a deletion: waits for the site; what it failed to delete serves on. */
export async function awaitClusterGone(
  context: ApiContext,
  operation: Operation,
  key: string,
  override: Override,
): Promise<void> {
  const outcome = await waitDeleted(
    operation,
    ClusterInstKind,
    key,
    siteTimeout(context, ClusterInstKind.parseKey(key).cloudletKey, "deleteClusterInstMs"),
  );
  switch (outcome.kind) {
    case "gone":
      return operation.progress.line("Deleted cluster instance");
    case "working":
      return operation.progress.line("The cloudlet is still deleting the cluster instance", STILL_IN_PROGRESS);
    case "silent":
      throw timedOut("the cloudlet did not begin; it deletes the cluster instance when it can");
    case "failed":
    case "ready":
      return await settleFailure(context, operation, key, outcome.kind === "failed" ? outcome.errors : [], override);
  }
}

/** Deletes the instances that go with the cluster; throws E_INUSE when there are others. */
async function emptyCluster(
  context: ApiContext,
  operation: Operation,
  key: string,
  cluster: ClusterInst,
  { override, withCloudlet }: ClusterRemoval,
): Promise<void> {
  const { cache } = context.region;
  const instances = [...cache.referrersOfKind(ClusterInstKind, key, AppInstKind)].sort();
  const staying = instances.filter((instance) => staysWithoutOwner(cache, instance, cluster.key.organization));
  if (staying.length > 0) {
    throw inUse(ClusterInstKind, staying.map((keyString) => ({ kind: AppInstKind, keyString })));
  }
  await deleteWithOwner(context, operation.progress, instances, { override, withCloudlet });
}

/** The deletion has not begun on the site: all is as before. */
async function restore({ region }: ApiContext, operation: Operation, key: string): Promise<void> {
  await region.change(async (tx) => {
    operation.release(tx);
    const cluster = await tx.get(ClusterInstKind, key);
    if (cluster) tx.put(ClusterInstKind, { ...cluster, deletePrepare: false });
  });
}

/** The site could not delete the cluster: it serves on, unless its failure is to be ignored. */
async function settleFailure(
  { region }: ApiContext,
  { progress }: Operation,
  key: string,
  errors: readonly string[],
  override: Override,
): Promise<void> {
  await region.change(async (tx) => {
    const cluster = await tx.get(ClusterInstKind, key);
    if (cluster?.state !== TrackedState.DELETE_ERROR) return;
    if (override.ignoresErrors) return await removeClusterInst(tx, cluster);
    tx.put(ClusterInstKind, { ...cluster, state: TrackedState.READY, deletePrepare: false, errors: [] });
  });
  if (!override.ignoresErrors) throw siteFailure(errors);
  for (const error of errors) progress.line(`Ignored: ${error}`);
  progress.line("Deleted cluster instance, whatever its site says");
}
