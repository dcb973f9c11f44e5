import {
  AppInstKind,
  applyMask,
  chainOf,
  type Cloudlet,
  type CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
  dme,
  requiredIssues,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { failedPrecondition, refuse } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import { checkCloudlet, checkNewCloudlet, defaultCloudlet } from "../../rules/cloudlet.ts";
import { overrideOf } from "../../rules/crm_override.ts";
import { Issues } from "../../rules/issues.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { requireReferences } from "../../state/references.ts";
import { movePolicies } from "../catalog/mod.ts";
import { siteFailure, STILL_IN_PROGRESS, timedOut } from "../site_work.ts";
import { settleGpuConfig } from "./gpu.ts";
import { checkMaintenance, driveMaintenance, prepareMaintenance } from "./maintenance.ts";
import { checkQuotas } from "./quotas.ts";
import { hasSecrets, requireSecrets, saveSecrets, secretsOf } from "./secrets.ts";
import { askForTrustPolicy, awaitTrustPolicy, isPolicyOnItsWay } from "./trust.ts";

const { UPDATE_REQUESTED, UPDATING, UPDATE_ERROR, READY, NOT_PRESENT } = TrackedState;

/** Changes for which the site has to begin anew. */
const FOR_SITE = ["env_var", "resource_quotas", "gpu_config"];

/** UpdateCloudlet, as an operation (specification 3.8, 5.5). */
export async function updateCloudlet(
  context: ApiContext,
  operation: Operation,
  key: string,
  request: Cloudlet,
): Promise<void> {
  const { region, timeouts } = context;
  const secrets = secretsOf(request);
  const masked = maskedFields(request);
  if (hasSecrets(secrets)) requireSecrets(context.secrets);
  const { changed, location } = await region.change(async (tx) => {
    await operation.claim(tx, { timeoutMs: timeouts.updateCloudletMs });
    return await change(context, tx, operation, key, request, masked);
  });
  const dropsKafka = changed.includes("kafka_cluster") && request.kafkaCluster === "";
  await saveSecrets(context.secrets, region.name, request.key, {
    ...(masked.has("access_vars") && { access: secrets.access ?? {} }),
    ...(masked.has("kafka_user") && secrets),
    ...(masked.has("gpu_config") && { license: secrets.license }),
    ...(dropsKafka && { kafka: "drop" }),
  });
  if (changed.some((field) => field.startsWith("location"))) {
    await moveInstances(context, key, location);
    await movePolicies(context, key, location);
  }
  await followUpdate(context, operation, key);
}

/** Fields of the first level that a request names, without the key. */
function maskedFields({ fields }: Cloudlet): Set<string> {
  const names = fields.map((path) => chainOf(CloudletKind.message.descriptor, path)?.[0]?.name ?? path);
  return new Set(names.filter((name) => name !== "key"));
}

async function change(
  context: ApiContext,
  tx: ObjectTx,
  operation: Operation,
  key: string,
  request: Cloudlet,
  masked: ReadonlySet<string>,
): Promise<{ changed: readonly string[]; location: Cloudlet["location"] }> {
  const { ignoresSite } = overrideOf(operation.override);
  const cloudlet = await tx.requireUsable(CloudletKind, key);
  const before = CloudletKind.message.create(cloudlet);
  const issues = new Issues();
  if (request.fields.length === 0) issues.add("fields", undefined, "must name what to update");
  const { changed, refused } = applyMask(CloudletKind.message, cloudlet, request, request.fields);
  for (const { field, rule } of refused) issues.add(field, undefined, rule);
  defaultCloudlet(cloudlet);
  issues.list.push(...requiredIssues(CloudletKind.message, cloudlet));
  checkNewCloudlet(cloudlet, issues);
  checkCloudlet(cloudlet, issues);
  checkMaintenance(before, cloudlet, masked, issues);
  if (cloudlet.kafkaCluster === "" && masked.has("kafka_cluster")) {
    issues.check(request.kafkaUser === "", "kafka_user", undefined, "must not be set without kafka_cluster");
  }
  refuse(issues.list);
  const location = cloudlet.location;
  if (changed.length === 0) return { changed, location };

  const info = await tx.get(CloudletInfoKind, key);
  const isAtWork = info?.state === dme.CloudletState.CLOUDLET_STATE_READY;
  const touches = (fields: readonly string[]) => changed.some((path) => fields.includes(path.split(".")[0]!));
  await requireReferences(tx, CloudletKind, cloudlet, before);
  if (touches(["resource_quotas"])) await checkQuotas(tx, cloudlet, requireInfo(info, key));
  if (touches(["gpu_config"])) await settleGpuConfig(tx, cloudlet);
  if (touches(["maintenance_state"])) prepareMaintenance(tx, cloudlet, requireInfo(info, key));
  if (touches(["trust_policy"])) {
    await askForTrustPolicy(context, tx, cloudlet, { info: requireInfo(info, key), ignoresSite });
  }
  // A site that is not at work takes the variables when it comes up; one that is has to begin anew with them.
  if (touches(FOR_SITE) && isAtWork && !ignoresSite) {
    cloudlet.state = UPDATE_REQUESTED;
    cloudlet.errors = [];
  }
  tx.put(CloudletKind, cloudlet);
  return { changed, location };
}

function requireInfo(info: CloudletInfo | undefined, key: string): CloudletInfo {
  if (info) return info;
  throw failedPrecondition(`Cloudlet ${key} has never reported, so this cannot be changed yet`);
}

/** Second part of an update: follows what the site has been asked for, as the cloudlet itself says, one after another. */
export async function followUpdate(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { cache } = context.region;
  const state = cache.get(CloudletKind, key)?.state;
  if (state === UPDATE_REQUESTED || state === UPDATING) {
    if (!await awaitUpgrade(context, operation, key)) return;
  }
  const cloudlet = cache.get(CloudletKind, key);
  if (cloudlet !== undefined && isPolicyOnItsWay(cloudlet)) {
    if (!await awaitTrustPolicy(context, operation, key)) return;
  }
  await driveMaintenance(context, operation, key);
  operation.progress.line("Updated cloudlet");
}

/** Waits until the site has come up with what changed; false when it is still at it. */
async function awaitUpgrade(context: ApiContext, operation: Operation, key: string): Promise<boolean> {
  const { timeouts, region } = context;
  let last = UPDATE_REQUESTED as TrackedState;
  const outcome = await operation.wait(CloudletKind, key, (cloudlet) => {
    last = cloudlet?.state ?? NOT_PRESENT;
    if (cloudlet === undefined) return { errors: ["the cloudlet was removed"] };
    if (cloudlet.state === READY) return "ready";
    return cloudlet.state === UPDATE_ERROR ? { errors: cloudlet.errors } : undefined;
  }, timeouts.updateCloudletMs);
  if (outcome === "ready") return true;
  if (outcome === "timeout") {
    if (last !== UPDATE_REQUESTED) {
      operation.progress.line("The cloudlet is still updating", STILL_IN_PROGRESS);
      return false;
    }
    await settle(UPDATE_REQUESTED, UPDATE_ERROR, ["the site did not begin to update in time"]);
    throw timedOut("the cloudlet did not begin to update; it has the change when it comes up anew");
  }
  if (!overrideOf(operation.override).ignoresErrors) throw siteFailure(outcome.errors);
  await settle(UPDATE_ERROR, READY, []);
  for (const error of outcome.errors) operation.progress.line(`Ignored: ${error}`);
  return true;

  async function settle(from: TrackedState, to: TrackedState, errors: string[]): Promise<void> {
    await region.change(async (tx) => {
      const cloudlet = await tx.get(CloudletKind, key);
      if (cloudlet?.state === from) tx.put(CloudletKind, { ...cloudlet, state: to, errors });
    });
  }
}

/** Tells the instances on a cloudlet, which carry its place, that it has moved. */
async function moveInstances({ region }: ApiContext, key: string, location: Cloudlet["location"]): Promise<void> {
  for (const instanceKey of [...region.cache.referrersOfKind(CloudletKind, key, AppInstKind)]) {
    await region.change(async (tx) => {
      const instance = await tx.get(AppInstKind, instanceKey);
      if (instance) tx.put(AppInstKind, { ...instance, cloudletLoc: location });
    });
  }
}
