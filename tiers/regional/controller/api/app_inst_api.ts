import type { Handlers } from "../../../../shared/rpc/mod.ts";
import { type AppInstApi, AppInstKind, AppKind, matcher } from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { checkAppInst } from "../rules/app_inst.ts";
import { overrideOf } from "../rules/crm_override.ts";
import { autoProvIntent, checkDeletion } from "./app_inst/auto_prov.ts";
import { createAppInst } from "./app_inst/create.ts";
import { completeKey, readInstanceKey } from "./app_inst/key.ts";
import { refreshAppInst } from "./app_inst/refresh.ts";
import { deleteAppInst } from "./app_inst/remove.ts";
import { updateAppInst } from "./app_inst/update.ts";
import { createOnBest } from "./cloudlet_choice/create.ts";
import { invitedPools, readUnplaced } from "./cloudlet_choice/request.ts";
import { readNew, show } from "./requests.ts";

/** Handlers of AppInstApi. */
export function appInstApi(context: ApiContext): Handlers<typeof AppInstApi> {
  const { region, operations } = context;
  return {
    createAppInst(request, call) {
      if (request.key.clusterInstKey.cloudletKey.name === "") {
        return createOnBest(context, readUnplaced(request), {
          override: overrideOf(request.crmOverride),
          intent: autoProvIntent(call.metadata),
          pools: invitedPools(call.metadata),
        }, call.signal);
      }
      const instance = readNew(AppInstKind, request, {
        defaults: (object) => completeKey(context, object),
        check: checkAppInst,
      });
      const key = AppInstKind.keyString(instance.key);
      const override = overrideOf(request.crmOverride);
      const intent = autoProvIntent(call.metadata);
      return operations.run(
        AppInstKind,
        key,
        "create",
        (operation) => createAppInst(context, operation, key, instance, { override, intent }),
        { override: override.value },
      ).read(call.signal);
    },
    deleteAppInst(request, call) {
      const key = readInstanceKey(context, request);
      const override = overrideOf(request.crmOverride);
      const intent = autoProvIntent(call.metadata);
      return operations.run(
        AppInstKind,
        key,
        "delete",
        (operation) =>
          deleteAppInst(context, operation, key, {
            override,
            ready: true,
            async check(tx, instance) {
              const app = intent && await tx.get(AppKind, AppKind.keyString(instance.key.appKey));
              if (app) await checkDeletion(tx, region.cache, app, instance, intent);
            },
          }),
        { override: override.value },
      ).read(call.signal);
    },
    updateAppInst(request, call) {
      const key = readInstanceKey(context, request);
      const override = overrideOf(request.crmOverride);
      return operations.run(
        AppInstKind,
        key,
        "update",
        (operation) => updateAppInst(context, operation, key, request, override),
        { override: override.value },
      ).read(call.signal);
    },
    refreshAppInst: (request, call) => refreshAppInst(context, request).read(call.signal),
    showAppInst: (request, call) => show(region.cache, AppInstKind, matcher(AppInstKind.message, request), call),
  };
}
