import {
  App,
  type AppInst,
  AppInstKind,
  AppKind,
  applyMask,
  chainOf,
  CloudletKind,
  ClusterInstKind,
  enumText,
  PowerState,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { refuse } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import { checkConfigs } from "../../rules/app_configs.ts";
import { requestedPower } from "../../rules/app_inst.ts";
import type { Override } from "../../rules/crm_override.ts";
import { isVm } from "../../rules/deployments.ts";
import { Issues } from "../../rules/issues.ts";
import { cloudletRefsRow } from "../../state/rows.ts";
import { requireUpdatable } from "../cluster_inst/update.ts";
import { clusterKeyOf } from "../cluster_selection/wish.ts";
import type { Site } from "../resources/mod.ts";
import { openSite, siteFailure, siteTimeout, STILL_IN_PROGRESS, timedOut, waitUpdated } from "../site_work.ts";
import { forgive } from "./create.ts";
import { freeSharedPorts, takePorts } from "./ports.ts";

const POWER = "power_state";

/** UpdateAppInst, as an operation (specification 2.5). */
export async function updateAppInst(
  context: ApiContext,
  operation: Operation,
  key: string,
  request: AppInst,
  override: Override,
): Promise<void> {
  const { region, zone } = context;
  const asked = await region.change(async (tx) => {
    await operation.claim(tx, {
      timeoutMs: siteTimeout(context, AppInstKind.parseKey(key).clusterInstKey.cloudletKey, "updateAppInstMs"),
    });
    const instance = await tx.require(AppInstKind, key);
    requireUpdatable(`AppInst ${key}`, instance.state, override);
    const app = await tx.requireUsable(AppKind, AppKind.keyString(instance.key.appKey));
    const site = await openSite(tx, instance.key.clusterInstKey.cloudletKey, { override });
    const retried = instance.state === TrackedState.UPDATE_ERROR;
    const changed = change(instance, app, request, site, override);
    if (changed.length === 0 && !retried) return false;
    if (changed.includes("dedicated_ip")) {
      const cluster = clusterKeyOf(instance);
      await freeSharedPorts(tx, site.keyString, instance.uniqueId);
      await takePorts(tx, {
        app,
        instance,
        site,
        zone,
        cluster: cluster === undefined ? undefined : await tx.require(ClusterInstKind, cluster),
      });
    }
    instance.state = override.ignoresSite ? TrackedState.READY : TrackedState.UPDATE_REQUESTED;
    tx.put(AppInstKind, { ...instance, errors: [] });
    return !override.ignoresSite;
  }, cloudletRefsRow(CloudletKind.keyString(request.key.clusterInstKey.cloudletKey)));
  if (!asked) return operation.progress.line("Updated app instance");
  await awaitAppInstUpdate(context, operation, key, override);
}

/** Applies the request to the instance, in place, with all checks. Returns the fields that are other than before. */
function change(instance: AppInst, app: App, request: AppInst, site: Site, override: Override): readonly string[] {
  const issues = new Issues();
  if (request.fields.length === 0) issues.add("fields", undefined, "must name what to update");
  const masked = new Set(request.fields.map((path) => chainOf(AppInstKind.message.descriptor, path)?.[0]?.name));
  masked.delete("key");
  // Asking for the same power again is no change of what is stored, but still a request.
  if (masked.has(POWER)) {
    const power = checkPower(app, request.powerState, masked, issues);
    refuse(issues.list);
    instance.powerState = override.ignoresSite ? request.powerState : power!;
    return [POWER];
  }
  const { changed, refused } = applyMask(AppInstKind.message, instance, request, request.fields);
  for (const { field, rule } of refused) issues.add(field, undefined, rule);
  if (masked.has("configs")) {
    checkConfigs(App.create({ ...app, configs: instance.configs }), issues);
  }
  issues.check(
    !instance.dedicatedIp || site.traits.features.dedicatedAppIp,
    "dedicated_ip",
    true,
    "must be false: the cloudlet's platform gives instances no addresses of their own",
  );
  refuse(issues.list);
  return changed;
}

function checkPower(
  app: App,
  wanted: PowerState,
  masked: ReadonlySet<string | undefined>,
  issues: Issues,
): PowerState | undefined {
  const power = requestedPower(wanted);
  issues.check(masked.size === 1, POWER, undefined, "may not be updated together with other fields");
  issues.check(isVm(app.deployment), POWER, undefined, "is for vm apps only");
  issues.check(power !== undefined, POWER, enumText(PowerState, wanted), "must be PowerOn, PowerOff or Reboot");
  return power;
}

/** Second half of an update or a refresh: waits for the site; what failed can be tried again. */
export async function awaitAppInstUpdate(
  context: ApiContext,
  operation: Operation,
  key: string,
  override: Override,
): Promise<void> {
  const outcome = await waitUpdated(
    operation,
    AppInstKind,
    key,
    siteTimeout(context, AppInstKind.parseKey(key).clusterInstKey.cloudletKey, "updateAppInstMs"),
  );
  switch (outcome.kind) {
    case "ready":
      return operation.progress.line("Updated app instance");
    case "working":
      return operation.progress.line("The cloudlet is still updating the app instance", STILL_IN_PROGRESS);
    case "failed":
      if (!override.ignoresErrors) throw siteFailure(outcome.errors);
      await forgive(context, operation, key, outcome.errors);
      return operation.progress.line("Updated app instance, whatever its site says");
    case "silent":
    case "gone":
      throw timedOut("the cloudlet did not begin; it updates the app instance when it can");
  }
}
