import { platformFeatures } from "../../../../../shared/platform_types/mod.ts";
import { type AppInst, AppInstKind, CloudletKind, requiredIssues } from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { refuse } from "../../faults.ts";
import { defaultAppInstKey } from "../../rules/app_inst.ts";

type KeyContext = Pick<ApiContext, "region" | "platformOrg">;

/** Fills in what a caller may leave out of an instance's key (specification 3.10, step 2). */
export function completeKey({ region, platformOrg }: KeyContext, instance: AppInst): void {
  const cloudletKey = CloudletKind.keyString(instance.key.clusterInstKey.cloudletKey);
  const cloudlet = region.cache.get(CloudletKind, cloudletKey);
  const single = cloudlet !== undefined && platformFeatures(cloudlet.platformType).singleCluster;
  const only = single ? cloudlet.singleKubernetesClusterOwner || platformOrg : undefined;
  defaultAppInstKey(instance, { platformOrg, only });
}

/** Key string of a request about an instance that is there; throws when a part of the key is missing. */
export function readInstanceKey(context: KeyContext, request: AppInst): string {
  const instance = AppInstKind.message.create(request);
  completeKey(context, instance);
  refuse(requiredIssues(AppInstKind.message, instance).filter(({ path }) => path.startsWith("key.")));
  return AppInstKind.keyString(instance.key);
}
