import type { Handlers } from "../../../../shared/rpc/mod.ts";
import { type AppInstClientApi, AppInstClientKey, VirtualClusterInstKey } from "../../../../shared/schema/mod.ts";
import { refuse } from "../faults.ts";
import type { ClientWatches } from "../records/client_watches.ts";
import { Issues } from "../rules/issues.ts";

/**
 * Handlers of AppInstClientApi. Each controller knows of the devices of its own matching engines alone, so whoever wants
 * all of them asks each.
 */
export function appInstClientApi(watches: ClientWatches): Handlers<typeof AppInstClientApi> {
  return {
    showAppInstClient(request, { signal }) {
      const key = AppInstClientKey.create(request);
      const issues = new Issues();
      const { organization } = key.appInstKey.appKey;
      issues.check(organization !== "", "app_inst_key.app_key.organization", organization, "is required");
      refuse(issues.list);
      // Devices are given a cloudlet's instance; in which cluster it is does not concern them.
      const { cloudletKey } = key.appInstKey.clusterInstKey;
      key.appInstKey.clusterInstKey = VirtualClusterInstKey.create({ cloudletKey });
      return watches.watch(key, signal);
    },
  };
}
