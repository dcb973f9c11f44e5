import {
  applyMask,
  type ClusterInst,
  ClusterInstKind,
  enumText,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { failedPrecondition, refuse } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import { isTransient } from "../../operations/transitions.ts";
import { checkChangedCluster, platformOf } from "../../rules/cluster_inst.ts";
import type { Override } from "../../rules/crm_override.ts";
import { Issues } from "../../rules/issues.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { requireReferences } from "../../state/references.ts";
import type { Site } from "../resources/mod.ts";
import { openSite, siteFailure, siteTimeout, STILL_IN_PROGRESS, timedOut, waitUpdated } from "../site_work.ts";
import { forgive } from "./create.ts";
import { clampToPolicy } from "./policies.ts";
import { takeForCluster } from "./resources.ts";

/** Changes that the site has to carry out; the others concern the controller alone. */
const FOR_SITE = ["num_nodes", "auto_scale_policy"];

/** UpdateClusterInst, as an operation (specification 3.9). */
export async function updateClusterInst(
  context: ApiContext,
  operation: Operation,
  key: string,
  request: ClusterInst,
  override: Override,
): Promise<void> {
  const asked = await context.region.change(async (tx) => {
    await operation.claim(tx, {
      timeoutMs: siteTimeout(context, ClusterInstKind.parseKey(key).cloudletKey, "updateClusterInstMs"),
    });
    const cluster = await tx.requireUsable(ClusterInstKind, key);
    requireUpdatable(`Cluster ${key}`, cluster.state, override);
    const site = await openSite(tx, cluster.key.cloudletKey, { override });
    const changed = await change(tx, cluster, request, site, context.platformOrg);
    const retried = cluster.state === TrackedState.UPDATE_ERROR;
    if (changed.length === 0 && !retried) return false;
    const forSite = (retried || changed.some((field) => FOR_SITE.includes(field))) && !override.ignoresSite;
    tx.put(ClusterInstKind, {
      ...cluster,
      state: forSite ? TrackedState.UPDATE_REQUESTED : TrackedState.READY,
      errors: [],
    });
    return forSite;
  });
  if (!asked) return operation.progress.line("Updated cluster instance");
  await awaitClusterUpdate(context, operation, key, override);
}

/** Throws unless an object in this state can be updated or refreshed (specification 5.1). */
export function requireUpdatable(what: string, state: TrackedState, { ignoresBusy }: Override): void {
  if (state === TrackedState.READY || state === TrackedState.UPDATE_ERROR) return;
  if (ignoresBusy && isTransient(state)) return;
  const reason = isTransient(state) ? "busy" : "not ready";
  throw failedPrecondition(`${what} is ${reason}, cannot be updated: its state is ${enumText(TrackedState, state)}`);
}

/** Applies the request to the cluster, in place, with all checks. Returns the fields that are other than before. */
async function change(
  tx: ObjectTx,
  cluster: ClusterInst,
  request: ClusterInst,
  site: Site,
  platformOrg: string,
): Promise<readonly string[]> {
  const before = ClusterInstKind.message.create(cluster);
  const issues = new Issues();
  if (request.fields.length === 0) issues.add("fields", undefined, "must name what to update");
  const { changed, refused } = applyMask(ClusterInstKind.message, cluster, request, request.fields);
  for (const { field, rule } of refused) issues.add(field, undefined, rule);
  if (changed.length > 0) checkChangedCluster(cluster, platformOf(site.cloudlet), issues, platformOrg);
  refuse(issues.list);
  if (changed.length === 0) return [];
  await requireReferences(tx, ClusterInstKind, cluster, before);
  await clampToPolicy(tx, cluster);
  const resized = cluster.numNodes !== before.numNodes;
  if (resized) await takeForCluster(tx, site, cluster);
  return resized && !changed.includes("num_nodes") ? [...changed, "num_nodes"] : changed;
}

/** Second half of an update: waits for the site; what failed can be tried again. */
export async function awaitClusterUpdate(
  context: ApiContext,
  operation: Operation,
  key: string,
  override: Override,
): Promise<void> {
  const outcome = await waitUpdated(
    operation,
    ClusterInstKind,
    key,
    siteTimeout(context, ClusterInstKind.parseKey(key).cloudletKey, "updateClusterInstMs"),
  );
  switch (outcome.kind) {
    case "ready":
      return operation.progress.line("Updated cluster instance");
    case "working":
      return operation.progress.line("The cloudlet is still updating the cluster instance", STILL_IN_PROGRESS);
    case "failed":
      if (!override.ignoresErrors) throw siteFailure(outcome.errors);
      await forgive(context, key, outcome.errors, operation);
      return operation.progress.line("Updated cluster instance, whatever its site says");
    case "silent":
    case "gone":
      throw timedOut("the cloudlet did not begin; it updates the cluster instance when it can");
  }
}
