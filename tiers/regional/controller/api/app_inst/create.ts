import {
  type AppInst,
  AppInstKind,
  AppKind,
  CloudletKind,
  ClusterInstKind,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import { RpcError } from "../../../../../shared/rpc/mod.ts";
import { StoreError } from "../../../../../shared/store/mod.ts";
import type { ApiContext } from "../../context.ts";
import { failedPrecondition, isBusy } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import { StoppingError, TakenError } from "../../operations/running.ts";
import { NO_OVERRIDE, type Override } from "../../rules/crm_override.ts";
import { cloudletRefsRow } from "../../state/rows.ts";
import { awaitCluster } from "../cluster_inst/create.ts";
import { deleteClusterInst } from "../cluster_inst/remove.ts";
import { realKey, requireReady } from "../cluster_selection/wish.ts";
import { openSite, siteFailure, siteTimeout, STILL_IN_PROGRESS, timedOut, waitCreated } from "../site_work.ts";
import { admitAppInst, completeAppInst, type CreateOptions } from "./admit.ts";
import { removeAppInst } from "./remove.ts";

/** CreateAppInst, as an operation. */
export async function createAppInst(
  context: ApiContext,
  operation: Operation,
  key: string,
  wanted: AppInst,
  options: CreateOptions & { admitted?(): void },
): Promise<void> {
  const { region } = context;
  const { override } = options;
  const cloudlet = wanted.key.clusterInstKey.cloudletKey;
  const { instance, madeCluster } = await region.change(async (tx) => {
    await operation.claim(tx, { timeoutMs: siteTimeout(context, cloudlet, "createAppInstMs") });
    const admission = await admitAppInst(tx, context, wanted, options, operation.progress);
    // Whoever carries the creation on has to know what to undo.
    const { madeCluster } = admission;
    if (madeCluster !== undefined) {
      const timeoutMs = siteTimeout(context, cloudlet, "createClusterInstMs");
      await operation.note(tx, { detail: { madeCluster }, timeoutMs });
    }
    return admission;
  }, queueOf(wanted));
  options.admitted?.();
  if (override.ignoresSite) return operation.progress.line("Created app instance, without its site");
  if (madeCluster === undefined) {
    const { uri } = instance;
    operation.progress.line(uri === "" ? "Creating app instance" : `Creating app instance at ${uri}`);
    return await awaitAppInst(context, operation, key, override);
  }
  operation.progress.line(`Creating cluster instance ${instance.realClusterName}`);
  await followDependencies(context, operation, key, override, madeCluster);
}

/** Makes the cluster of an instance that is waiting for it, then the instance. */
async function followDependencies(
  context: ApiContext,
  operation: Operation,
  key: string,
  override: Override,
  cluster: string,
): Promise<void> {
  try {
    await makeCluster(context, operation, override, cluster);
    const uri = await requestOnSite(context, operation, key);
    operation.progress.line(uri === "" ? "Creating app instance" : `Creating app instance at ${uri}`);
  } catch (error) {
    // Then the instance waits on, for whoever carries its creation on.
    if (isBrokenOff(error)) throw error;
    await undoCreate(context, key);
    await removeMadeCluster(context, operation, cluster);
    throw error;
  }
  await awaitAppInst(context, operation, key, override, cluster);
}

/** Whether work ended because somebody else goes on with it, or the store does not answer: nothing of it failed. */
function isBrokenOff(error: unknown): boolean {
  return error instanceof StoppingError || error instanceof TakenError ||
    (error instanceof RpcError && error.cause instanceof StoreError);
}

/** Follows the creation of a cluster that is in the store already, as an operation of its own. */
async function makeCluster(
  context: ApiContext,
  operation: Operation,
  override: Override,
  cluster: string,
): Promise<void> {
  try {
    const nested = context.operations.run(ClusterInstKind, cluster, "create", async (own) => {
      await context.region.change((tx) => own.claim(tx));
      await awaitCluster(context, own, cluster, override);
    });
    for await (const { message } of nested.read(new AbortController().signal)) operation.progress.line(message);
  } catch (error) {
    // Somebody carries on the creation that a controller left behind.
    if (!isBusy(RpcError.from(error))) throw error;
  }
  // A site that is still at work on the cluster gets the same time again.
  const { kind } = await waitCreated(
    operation,
    ClusterInstKind,
    cluster,
    siteTimeout(context, ClusterInstKind.parseKey(cluster).cloudletKey, "createClusterInstMs"),
  );
  if (kind !== "ready") throw timedOut(`cluster instance ${cluster} did not become ready`);
}

/** Second transaction of an instance whose cluster had to be made: ports, name, and the request to the site. */
async function requestOnSite(context: ApiContext, operation: Operation, key: string): Promise<string> {
  const { region, zone } = context;
  const known = region.cache.get(AppInstKind, key);
  return await region.change(async (tx) => {
    await operation.note(tx, {
      timeoutMs: siteTimeout(context, AppInstKind.parseKey(key).clusterInstKey.cloudletKey, "createAppInstMs"),
    });
    const instance = await tx.require(AppInstKind, key);
    if (instance.state !== TrackedState.CREATING_DEPENDENCIES) {
      throw failedPrecondition(`AppInst ${key} is no longer waiting for its cluster`);
    }
    const app = await tx.requireUsable(AppKind, AppKind.keyString(instance.key.appKey));
    const site = await openSite(tx, instance.key.clusterInstKey.cloudletKey, { override: NO_OVERRIDE });
    const cluster = await requireReady(tx, realKey(instance, instance.realClusterName));
    if (cluster.reservedBy !== instance.key.appKey.organization) {
      throw failedPrecondition(`Cluster ${ClusterInstKind.keyString(cluster.key)} is reserved for others by now`);
    }
    await completeAppInst(tx, { app, instance, site, cluster, zone }, false);
    tx.put(AppInstKind, instance);
    return instance.uri;
  }, known && queueOf(known));
}

/**
 * Second half of a creation: waits for the site to make an instance; one that it failed to make is removed, and so is the
 * cluster made for it.
 *
 * @param madeCluster key of that cluster
 */
export async function awaitAppInst(
  context: ApiContext,
  operation: Operation,
  key: string,
  override: Override,
  madeCluster?: string,
): Promise<void> {
  const outcome = await waitCreated(
    operation,
    AppInstKind,
    key,
    siteTimeout(context, AppInstKind.parseKey(key).clusterInstKey.cloudletKey, "createAppInstMs"),
  );
  switch (outcome.kind) {
    case "ready":
      return operation.progress.line("Created app instance");
    case "working":
      return operation.progress.line("The cloudlet is still creating the app instance", STILL_IN_PROGRESS);
    case "failed":
      if (override.ignoresErrors) {
        await forgive(context, operation, key, outcome.errors);
        return operation.progress.line("Created app instance, whatever its site says");
      }
      break;
    case "silent":
    case "gone":
      break;
  }
  await undoCreate(context, key);
  if (madeCluster !== undefined) await removeMadeCluster(context, operation, madeCluster);
  throw outcome.kind === "failed" ? siteFailure(outcome.errors) : timedOut("the cloudlet did not begin");
}

/** Takes a failed creation or update for done. */
export async function forgive(
  { region }: ApiContext,
  { progress }: Operation,
  key: string,
  errors: readonly string[],
): Promise<void> {
  for (const error of errors) progress.line(`Ignored: ${error}`);
  await region.change(async (tx) => {
    const instance = await tx.get(AppInstKind, key);
    if (instance?.state !== TrackedState.CREATE_ERROR && instance?.state !== TrackedState.UPDATE_ERROR) return;
    tx.put(AppInstKind, { ...instance, state: TrackedState.READY, errors: [] });
  });
}

/** Removes an instance that was not made; its site has cleaned up behind itself. */
async function undoCreate({ region }: ApiContext, key: string): Promise<void> {
  await region.change(async (tx) => {
    const instance = await tx.get(AppInstKind, key);
    switch (instance?.state) {
      case TrackedState.CREATE_ERROR:
      case TrackedState.CREATE_REQUESTED:
      case TrackedState.CREATING_DEPENDENCIES:
        return await removeAppInst(tx, instance);
    }
  });
}

/** Has the site remove a cluster that was made for an instance in vain, unless it serves somebody else by now. */
async function removeMadeCluster(context: ApiContext, { progress }: Operation, cluster: string): Promise<void> {
  const { region, operations, log } = context;
  if (region.cache.get(ClusterInstKind, cluster) === undefined) return;
  try {
    const nested = operations.run(
      ClusterInstKind,
      cluster,
      "delete",
      (own) =>
        deleteClusterInst(context, own, cluster, {
          override: NO_OVERRIDE,
          check(_tx, { reservedBy }) {
            if (reservedBy !== "") throw failedPrecondition(`Cluster ${cluster} is lent to ${reservedBy} by now`);
          },
        }),
    );
    for await (const { message } of nested.read(new AbortController().signal)) progress.line(message);
  } catch (error) {
    // It is idle, so it goes with the other idle ones later.
    const reason = RpcError.from(error).message;
    log.warn("Cluster made for an instance in vain stays for now", { cluster, reason });
    progress.line(`The cluster instance stays for now: ${reason}`);
  }
}

/** Creations on one cloudlet meet in its row of what it has given away. */
function queueOf({ key }: AppInst): string {
  return cloudletRefsRow(CloudletKind.keyString(key.clusterInstKey.cloudletKey));
}

/** Whether a controller that died has left an instance waiting for its cluster. */
export function isWaiting(instance: AppInst): boolean {
  return instance.state === TrackedState.CREATING_DEPENDENCIES;
}

/** Goes on with the creation of an instance whose controller died while its cluster was being made. */
export async function resumeCreate(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const cluster = await context.region.change(async (tx) => {
    await operation.hold(tx);
    const instance = await tx.require(AppInstKind, key);
    if (!isWaiting(instance)) throw failedPrecondition(`AppInst ${key} is not waiting for its cluster`);
    return ClusterInstKind.keyString(realKey(instance, instance.realClusterName));
  });
  await followDependencies(context, operation, key, NO_OVERRIDE, cluster);
}
