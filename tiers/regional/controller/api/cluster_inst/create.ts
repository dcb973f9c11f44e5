import { type ClusterInst, ClusterInstKind, Liveness, TrackedState } from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { alreadyExists } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import { isTransient } from "../../operations/transitions.ts";
import type { Override } from "../../rules/crm_override.ts";
import { openSite, siteFailure, siteTimeout, STILL_IN_PROGRESS, timedOut, waitCreated } from "../site_work.ts";
import { admitCluster, removeClusterInst } from "./admit.ts";

/** CreateClusterInst, as an operation. */
export async function createClusterInst(
  context: ApiContext,
  operation: Operation,
  key: string,
  wanted: ClusterInst,
  override: Override,
): Promise<void> {
  const { region, zone } = context;
  await region.change(async (tx) => {
    await operation.claim(tx, {
      timeoutMs: siteTimeout(context, ClusterInstKind.parseKey(key).cloudletKey, "createClusterInstMs"),
    });
    const cluster = ClusterInstKind.message.create(wanted);
    const before = await tx.get(ClusterInstKind, key);
    if (before && !mayBeMadeAnew(before, override)) {
      for (const error of before.errors) operation.progress.line(`Previous error: ${error}`);
      throw alreadyExists(ClusterInstKind, key);
    }
    const site = await openSite(tx, cluster.key.cloudletKey, { override });
    cluster.liveness = Liveness.LIVENESS_STATIC;
    await admitCluster(tx, zone, cluster, site, { before, ready: override.ignoresSite });
  });
  if (override.ignoresSite) return operation.progress.line("Created cluster instance, without its site");
  await awaitCluster(context, operation, key, override);
}

/** Whether an object that is there may be created over: after a failed deletion, or by force (specification 5.1). */
export function mayBeMadeAnew({ state }: { state: TrackedState }, override: Override): boolean {
  return state === TrackedState.DELETE_ERROR || (override.ignoresBusy && isTransient(state));
}

/** Second half of a creation: waits for the site, and removes what it failed to make. */
export async function awaitCluster(
  context: ApiContext,
  operation: Operation,
  key: string,
  override: Override,
): Promise<void> {
  const outcome = await waitCreated(
    operation,
    ClusterInstKind,
    key,
    siteTimeout(context, ClusterInstKind.parseKey(key).cloudletKey, "createClusterInstMs"),
  );
  switch (outcome.kind) {
    case "ready":
      return operation.progress.line("Created cluster instance");
    case "working":
      return operation.progress.line("The cloudlet is still creating the cluster instance", STILL_IN_PROGRESS);
    case "failed":
      if (override.ignoresErrors) {
        await forgive(context, key, outcome.errors, operation);
        return operation.progress.line("Created cluster instance, whatever its site says");
      }
      await undoCreate(context, key);
      throw siteFailure(outcome.errors);
    case "silent":
    case "gone":
      await undoCreate(context, key);
      throw timedOut("the cloudlet did not begin");
  }
}

/** Takes a failed creation or update for done. */
export async function forgive(
  { region }: ApiContext,
  key: string,
  errors: readonly string[],
  { progress }: Operation,
): Promise<void> {
  for (const error of errors) progress.line(`Ignored: ${error}`);
  await region.change(async (tx) => {
    const cluster = await tx.get(ClusterInstKind, key);
    if (cluster?.state !== TrackedState.CREATE_ERROR && cluster?.state !== TrackedState.UPDATE_ERROR) return;
    tx.put(ClusterInstKind, { ...cluster, state: TrackedState.READY, errors: [] });
  });
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
