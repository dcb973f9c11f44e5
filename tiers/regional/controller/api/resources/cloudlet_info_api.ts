import type { Handlers } from "../../../../../shared/rpc/mod.ts";
import {
  type CloudletInfoApi,
  CloudletInfoKind,
  CloudletKind,
  dme,
  enumText,
  matcher,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { applyCloudletInfo, storedCloudletInfo } from "../../operations/site_report.ts";
import { done, readKey, show } from "../requests.ts";

/** Neither came an injected report on a stream, nor is any controller responsible for it. */
const NO_STREAM = 0;
const NO_CONTROLLER = "";

/** Handlers of CloudletInfoApi. */
export function cloudletInfoApi({ region }: ApiContext): Handlers<typeof CloudletInfoApi> {
  return {
    showCloudletInfo: (request, call) =>
      show(region.cache, CloudletInfoKind, matcher(CloudletInfoKind.message, request), call),
    async injectCloudletInfo(request) {
      const key = readKey(CloudletInfoKind, request);
      await region.change(async (tx) => {
        const cloudlet = await tx.requireUsable(CloudletKind, key);
        tx.put(CloudletInfoKind, storedCloudletInfo(request, NO_CONTROLLER, NO_STREAM));
        if (applyCloudletInfo(cloudlet, request)) tx.put(CloudletKind, cloudlet);
      });
      return done(`Cloudlet info is ${enumText(dme.CloudletState, request.state)}`);
    },
    async evictCloudletInfo(request) {
      const key = readKey(CloudletInfoKind, request);
      await region.change(async (tx) => {
        await tx.require(CloudletInfoKind, key);
        tx.remove(CloudletInfoKind, key);
      });
      return done("Evicted cloudlet info");
    },
  };
}
