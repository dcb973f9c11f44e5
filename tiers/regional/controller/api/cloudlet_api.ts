import type { Handlers } from "../../../../shared/rpc/mod.ts";
import { type CloudletApi, CloudletKind, matcher } from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { checkCloudlet, checkNewCloudlet, defaultCloudlet } from "../rules/cloudlet.ts";
import { cloudletAllianceCalls, createCloudlet, removeCloudlet, updateCloudlet } from "./cloudlet/mod.ts";
import { readKey, readNew, show } from "./requests.ts";

/** Handlers of CloudletApi. */
export function cloudletApi(context: ApiContext): Handlers<typeof CloudletApi> {
  const { region, operations } = context;
  return {
    createCloudlet(request, call) {
      const cloudlet = readNew(CloudletKind, request, {
        defaults: defaultCloudlet,
        check(object, issues) {
          checkNewCloudlet(object, issues);
          checkCloudlet(object, issues);
          issues.check(object.maintenanceState === 0, "maintenance_state", undefined, "may be set by an update only");
        },
      });
      const key = CloudletKind.keyString(cloudlet.key);
      const options = { override: request.crmOverride };
      return operations.run(
        CloudletKind,
        key,
        "create",
        (operation) => createCloudlet(context, operation, key, cloudlet),
        options,
      ).read(call.signal);
    },
    updateCloudlet(request, call) {
      const key = readKey(CloudletKind, request);
      const options = { override: request.crmOverride };
      return operations.run(
        CloudletKind,
        key,
        "update",
        (operation) => updateCloudlet(context, operation, key, request),
        options,
      ).read(call.signal);
    },
    deleteCloudlet(request, call) {
      const key = readKey(CloudletKind, request);
      const options = { override: request.crmOverride };
      return operations.run(
        CloudletKind,
        key,
        "delete",
        (operation) => removeCloudlet(context, operation, key),
        options,
      ).read(call.signal);
    },
    ...cloudletAllianceCalls(context),
    showCloudlet: (request, call) => show(region.cache, CloudletKind, matcher(CloudletKind.message, request), call),
  };
}
