import type { Handlers } from "../../../../shared/rpc/mod.ts";
import { type ClusterInstApi, ClusterInstKind, matcher } from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { refuse } from "../faults.ts";
import { checkClusterInst, defaultClusterInst } from "../rules/cluster_inst.ts";
import { overrideOf } from "../rules/crm_override.ts";
import { Issues } from "../rules/issues.ts";
import { currentSettings } from "../state/settings.ts";
import { createClusterInst } from "./cluster_inst/create.ts";
import { deleteIdleClusters } from "./cluster_inst/idle.ts";
import { deleteClusterInst } from "./cluster_inst/remove.ts";
import { updateClusterInst } from "./cluster_inst/update.ts";
import { done, readKey, readNew, show } from "./requests.ts";

const NS_PER_MS = 1e6;

/** Handlers of ClusterInstApi. */
export function clusterInstApi(context: ApiContext): Handlers<typeof ClusterInstApi> {
  const { region, operations, platformOrg } = context;
  return {
    createClusterInst(request, call) {
      const cluster = readNew(ClusterInstKind, request, {
        defaults: defaultClusterInst,
        check: (object, issues) => checkClusterInst(object, issues, platformOrg),
      });
      const key = ClusterInstKind.keyString(cluster.key);
      const override = overrideOf(request.crmOverride);
      return operations.run(
        ClusterInstKind,
        key,
        "create",
        (operation) => createClusterInst(context, operation, key, cluster, override),
        { override: override.value },
      ).read(call.signal);
    },
    deleteClusterInst(request, call) {
      const key = readKey(ClusterInstKind, request);
      const override = overrideOf(request.crmOverride);
      return operations.run(
        ClusterInstKind,
        key,
        "delete",
        (operation) => deleteClusterInst(context, operation, key, { override }),
        { override: override.value },
      ).read(call.signal);
    },
    updateClusterInst(request, call) {
      const key = readKey(ClusterInstKind, request);
      const override = overrideOf(request.crmOverride);
      return operations.run(
        ClusterInstKind,
        key,
        "update",
        (operation) => updateClusterInst(context, operation, key, request, override),
        { override: override.value },
      ).read(call.signal);
    },
    async deleteIdleReservableClusterInsts({ idleTime }) {
      const issues = new Issues();
      issues.check(idleTime >= 0, "idle_time", idleTime, "must be at least 0");
      refuse(issues.list);
      const ns = idleTime || currentSettings(region.cache).cleanupReservableAutoClusterIdletime;
      const { deleted, failed } = await deleteIdleClusters(context, ns / NS_PER_MS);
      const reasons = failed.map(({ key, reason }) => `${key}: ${reason}`);
      const failures = reasons.length === 0 ? "" : `; failed for ${reasons.join("; ")}`;
      return done(`Deleted ${deleted.length} idle clusters${failures}`);
    },
    showClusterInst: (request, call) =>
      show(region.cache, ClusterInstKind, matcher(ClusterInstKind.message, request), call),
  };
}
