import { AppInstKind, CloudletKind, ClusterInstKind } from "../../../../../shared/schema/mod.ts";
import { cloudletLabels } from "../../alerts/labels.ts";
import type { ApiContext } from "../../context.ts";
import type { Operation } from "../../operations/operation.ts";
import { DEFAULT_MULTI_TENANT_CLUSTER, NO_CLUSTER, reservableNumber } from "../../rules/cluster_names.ts";
import { overrideOf } from "../../rules/crm_override.ts";
import type { RegionCache } from "../../state/region_cache.ts";
import type { Reference } from "../../state/references.ts";
import { deleteWithOwner, staysWithoutOwner } from "../app_inst/cascade.ts";
import { deleteClusterInst } from "../cluster_inst/remove.ts";
import { deleteStored } from "../deletion.ts";
import { freeCloudlet } from "./create.ts";
import { dropSecrets } from "./secrets.ts";

/**
 * DeleteCloudlet, as an operation: what the platform made there by itself goes along, anything else keeps the cloudlet
 * (specification 4.1). Whoever runs the site's resource manager sees that the cloudlet is gone.
 */
export async function removeCloudlet(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { cache, name } = context.region;
  const cloudletKey = CloudletKind.parseKey(key);
  await deleteStored(context, operation, CloudletKind, key, {
    along: {
      includes: (referrer) => goesAlong(cache, referrer, cloudletKey.organization),
      remove: (referrers) => removeAll(context, operation, referrers),
    },
    remove: freeCloudlet,
  });
  context.alerts.clear(cloudletLabels(cloudletKey));
  await dropSecrets(context.secrets, name, cloudletKey);
  operation.progress.line("Deleted cloudlet");
}

/** Carries on a deletion whose controller is gone: from the beginning, or, without the cloudlet, what was left of it. */
export async function resumeRemoval(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { cache, name } = context.region;
  if (cache.get(CloudletKind, key) !== undefined) return await removeCloudlet(context, operation, key);
  await dropSecrets(context.secrets, name, CloudletKind.parseKey(key));
  operation.progress.line("Deleted cloudlet");
}

/** What the platform made by itself: clusters that are lent and free, the shared one and the only one, and their like. */
function goesAlong(cache: RegionCache, { kind, keyString }: Reference, owner: string): boolean {
  if (kind.kind === AppInstKind.kind) return !staysWithoutOwner(cache, keyString, owner);
  if (kind.kind !== ClusterInstKind.kind) return false;
  const cluster = cache.get(ClusterInstKind, keyString);
  if (cluster === undefined) return true;
  const { name } = cluster.key.clusterKey;
  if (name === DEFAULT_MULTI_TENANT_CLUSTER || name === NO_CLUSTER) return true;
  return cluster.reservable && cluster.reservedBy === "" && reservableNumber(name) !== undefined;
}

async function removeAll(context: ApiContext, operation: Operation, referrers: readonly Reference[]): Promise<void> {
  const override = overrideOf(operation.override);
  const keysOf = (name: string) =>
    referrers.filter(({ kind }) => kind.kind === name).map(({ keyString }) => keyString).sort();
  const options = { override, withCloudlet: true };
  await deleteWithOwner(context, operation.progress, keysOf(AppInstKind.kind), options);
  for (const key of keysOf(ClusterInstKind.kind)) {
    operation.progress.line(`Deleting cluster instance ${key}`);
    const nested = context.operations.run(
      ClusterInstKind,
      key,
      "delete",
      (own) => deleteClusterInst(context, own, key, options),
      { override: override.value },
    );
    for await (const _ of nested.read(new AbortController().signal));
  }
}
