import { type AppInst, AppInstKind, CloudletKind, TrackedState } from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import type { Operation } from "../../operations/operation.ts";
import type { Override } from "../../rules/crm_override.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { appInstIdRow, cloudletRefsRow, objectLabelRow } from "../../state/rows.ts";
import { leaveSelected } from "../cluster_selection/apply.ts";
import { clusterKeyOf } from "../cluster_selection/wish.ts";
import { giveBackAppInst } from "../resources/mod.ts";
import { openSite, siteFailure, siteTimeout, STILL_IN_PROGRESS, timedOut, waitDeleted } from "../site_work.ts";
import { freeSharedPorts } from "./ports.ts";

/** How an instance is deleted. */
export interface Removal {
  readonly override: Override;
  /** The cloudlet must be ready for work. */
  readonly ready: boolean;
  /** Refuses the deletion for a reason of the caller's, in the transaction that begins it. */
  check?(tx: ObjectTx, instance: AppInst): Promise<void> | void;
}

/** DeleteAppInst, as an operation. */
export async function deleteAppInst(
  context: ApiContext,
  operation: Operation,
  key: string,
  { override, ready, check }: Removal,
): Promise<void> {
  const { region } = context;
  const cloudletKey = CloudletKind.keyString(AppInstKind.parseKey(key).clusterInstKey.cloudletKey);
  // Whatever state the instance is in: nobody else is working on it, as the claim has shown.
  const removed = await region.change(async (tx) => {
    await operation.claim(tx, {
      timeoutMs: siteTimeout(context, AppInstKind.parseKey(key).clusterInstKey.cloudletKey, "deleteAppInstMs"),
    });
    const instance = await tx.require(AppInstKind, key);
    await check?.(tx, instance);
    if (ready) await openSite(tx, instance.key.clusterInstKey.cloudletKey, { override, deleting: true });
    // A site knows nothing yet of an instance that waits for its cluster.
    if (override.ignoresSite || instance.state === TrackedState.CREATING_DEPENDENCIES) {
      await removeAppInst(tx, instance);
      return true;
    }
    tx.put(AppInstKind, { ...instance, state: TrackedState.DELETE_REQUESTED, errors: [] });
    return false;
  }, override.ignoresSite ? cloudletRefsRow(cloudletKey) : undefined);
  if (removed) {
    return operation.progress.line(`Deleted app instance${override.ignoresSite ? ", without its site" : ""}`);
  }
  await awaitAppInstGone(context, operation, key, override);
}

/** Second half of a deletion: waits for the site; what it failed to delete runs on. */
export async function awaitAppInstGone(
  context: ApiContext,
  operation: Operation,
  key: string,
  override: Override,
): Promise<void> {
  const outcome = await waitDeleted(
    operation,
    AppInstKind,
    key,
    siteTimeout(context, AppInstKind.parseKey(key).clusterInstKey.cloudletKey, "deleteAppInstMs"),
  );
  switch (outcome.kind) {
    case "gone":
      return operation.progress.line("Deleted app instance");
    case "working":
      return operation.progress.line("The cloudlet is still deleting the app instance", STILL_IN_PROGRESS);
    case "silent":
      throw timedOut("the cloudlet did not begin; it deletes the app instance when it can");
    case "failed":
    case "ready":
      return await settleFailure(context, operation, key, outcome.kind === "failed" ? outcome.errors : [], override);
  }
}

/** The site could not delete the instance: it runs on, unless the failure is to be ignored. */
async function settleFailure(
  { region }: ApiContext,
  { progress }: Operation,
  key: string,
  errors: readonly string[],
  override: Override,
): Promise<void> {
  await region.change(async (tx) => {
    const instance = await tx.get(AppInstKind, key);
    if (instance?.state !== TrackedState.DELETE_ERROR) return;
    if (override.ignoresErrors) await removeAppInst(tx, instance);
    else tx.put(AppInstKind, { ...instance, state: TrackedState.READY, errors: [] });
  });
  if (!override.ignoresErrors) throw siteFailure(errors);
  for (const error of errors) progress.line(`Ignored: ${error}`);
  progress.line("Deleted app instance, whatever its site says");
}

/** Removes an instance and gives back all that it held: names, ports, its place in a cluster. */
export async function removeAppInst(tx: ObjectTx, instance: AppInst): Promise<void> {
  const cloudletKey = CloudletKind.keyString(instance.key.clusterInstKey.cloudletKey);
  const cloudlet = await tx.get(CloudletKind, cloudletKey);
  if (cloudlet) tx.removeRow(objectLabelRow(cloudlet.dnsLabel, instance.dnsLabel));
  tx.removeRow(appInstIdRow(instance.uniqueId));
  await giveBack(tx, instance);
  tx.remove(AppInstKind, AppInstKind.keyString(instance.key));
}

/** Gives back what an instance holds beside its names: ports, resources, its place in a cluster. */
export async function giveBack(tx: ObjectTx, instance: AppInst): Promise<void> {
  const cloudletKey = CloudletKind.keyString(instance.key.clusterInstKey.cloudletKey);
  await freeSharedPorts(tx, cloudletKey, instance.uniqueId);
  await giveBackAppInst(tx, instance);
  const cluster = clusterKeyOf(instance);
  if (cluster !== undefined) await leaveSelected(tx, cluster, instance.uniqueId);
}
