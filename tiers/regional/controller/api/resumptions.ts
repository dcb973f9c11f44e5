import { AppInstKind, CloudletKind, ClusterInstKind, type JsonValue } from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import type { Resumptions } from "../operations/operation.ts";
import { isDeleting } from "../operations/transitions.ts";
import { overrideOf } from "../rules/crm_override.ts";
import { awaitAppInst, isWaiting, resumeCreate } from "./app_inst/create.ts";
import { awaitAppInstGone } from "./app_inst/remove.ts";
import { awaitAppInstUpdate } from "./app_inst/update.ts";
import { followUpdate, resumeCloudlet, resumeRemoval } from "./cloudlet/mod.ts";
import { awaitCluster } from "./cluster_inst/create.ts";
import { awaitClusterGone, deleteClusterInst } from "./cluster_inst/remove.ts";
import { awaitClusterUpdate } from "./cluster_inst/update.ts";

/**
 * How operations are carried on whose controller is gone. What had only been begun in the store is begun anew or undone,
 * what a site is at work on is waited for; the transactions of each operation leave a state that tells which.
 */
export function resumptions(context: ApiContext): Resumptions {
  const { cache } = context.region;
  return {
    [AppInstKind.kind]: {
      async create(operation, key, { override, detail }) {
        const instance = cache.get(AppInstKind, key);
        if (instance !== undefined && isWaiting(instance)) return await resumeCreate(context, operation, key);
        await awaitAppInst(context, operation, key, overrideOf(override), madeCluster(detail));
      },
      update: (operation, key, { override }) => awaitAppInstUpdate(context, operation, key, overrideOf(override)),
      refresh: (operation, key, { override }) => awaitAppInstUpdate(context, operation, key, overrideOf(override)),
      delete: (operation, key, { override }) => awaitAppInstGone(context, operation, key, overrideOf(override)),
    },
    [ClusterInstKind.kind]: {
      create: (operation, key, { override }) => awaitCluster(context, operation, key, overrideOf(override)),
      update: (operation, key, { override }) => awaitClusterUpdate(context, operation, key, overrideOf(override)),
      async delete(operation, key, row) {
        const override = overrideOf(row.override);
        const cluster = cache.get(ClusterInstKind, key);
        if (cluster === undefined || isDeleting(cluster.state)) {
          await awaitClusterGone(context, operation, key, override);
        } else await deleteClusterInst(context, operation, key, { override });
      },
    },
    [CloudletKind.kind]: {
      create: (operation, key, { step }) => resumeCloudlet(context, operation, key, step),
      update: (operation, key) => followUpdate(context, operation, key),
      delete: (operation, key) => resumeRemoval(context, operation, key),
    },
  };
}

/** The cluster that was made for an instance, as its creation noted it. */
function madeCluster(detail: JsonValue | undefined): string | undefined {
  return (detail as { madeCluster?: string } | undefined)?.madeCluster;
}
