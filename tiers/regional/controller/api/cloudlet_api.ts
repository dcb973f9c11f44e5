import type { Handlers } from "../../../../shared/rpc/mod.ts";
import {
  AppInstKind,
  applyMask,
  type Cloudlet,
  type CloudletApi,
  CloudletInfoKind,
  CloudletKind,
  CloudletRefsKind,
  dme,
  matches,
  requiredIssues,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { alreadyExists, refuse } from "../faults.ts";
import type { Operation } from "../operations/operation.ts";
import { checkCloudlet, checkNewCloudlet, defaultCloudlet } from "../rules/cloudlet.ts";
import { cloudletLabel, MAX_CLOUDLET_LABEL_CHARACTERS, sharedFqdn } from "../rules/dns_labels.ts";
import { Issues } from "../rules/issues.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import { requireReferences } from "../state/references.ts";
import { cloudletLabelRow, cloudletRefsRow } from "../state/rows.ts";
import { cloudletAllianceCalls } from "./cloudlet_alliance.ts";
import {
  type CloudletSecrets,
  dropSecrets,
  hasSecrets,
  requireSecrets,
  saveSecrets,
  secretsOf,
} from "./cloudlet_secrets.ts";
import { movePolicies } from "./catalog/mod.ts";
import { freeVmPool, holdVmPool } from "./cloudlet_vm_pool.ts";
import { deleteStored } from "./deletion.ts";
import { takeName } from "./labels.ts";
import { readKey, readNew, show } from "./requests.ts";
import { siteFailure, STILL_IN_PROGRESS, timedOut } from "./site_work.ts";

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
        },
      });
      const key = CloudletKind.keyString(cloudlet.key);
      return operations.run(CloudletKind, key, "create", (operation) => create(context, operation, key, cloudlet), {
        override: request.crmOverride,
      })
        .read(call.signal);
    },
    updateCloudlet(request, call) {
      const key = readKey(CloudletKind, request);
      return operations.run(CloudletKind, key, "update", (operation) => update(context, operation, key, request), {
        override: request.crmOverride,
      })
        .read(call.signal);
    },
    deleteCloudlet(request, call) {
      const key = readKey(CloudletKind, request);
      return operations.run(CloudletKind, key, "delete", (operation) => removeCloudlet(context, operation, key), {
        override: request.crmOverride,
      })
        .read(call.signal);
    },
    ...cloudletAllianceCalls(context),
    showCloudlet: (request, call) =>
      show(region.cache, CloudletKind, (cloudlet) => matches(CloudletKind.message, request, cloudlet), call),
  };
}

async function create(context: ApiContext, operation: Operation, key: string, wanted: Cloudlet): Promise<void> {
  const { region, zone } = context;
  const secrets = secretsOf(wanted);
  if (hasSecrets(secrets)) requireSecrets(context.secrets);
  await region.change(async (tx) => {
    await operation.claim(tx);
    if (await tx.get(CloudletKind, key)) throw alreadyExists(CloudletKind, key);
    const cloudlet = CloudletKind.message.create(wanted);
    await requireReferences(tx, CloudletKind, cloudlet);
    await holdVmPool(tx, cloudlet);
    cloudlet.state = TrackedState.CREATING;
    cloudlet.dnsLabel = await takeName(
      tx,
      cloudletLabel(cloudlet.key),
      MAX_CLOUDLET_LABEL_CHARACTERS,
      cloudletLabelRow,
    );
    cloudlet.rootLbFqdn = sharedFqdn(cloudlet.dnsLabel, zone);
    tx.put(CloudletKind, cloudlet);
  });
  await saveSecrets(context.secrets, region.name, wanted.key, secrets);
  operation.progress.line("Waiting for the cloudlet's resource manager");
  await awaitCloudlet(context, operation, key);
}

/** Second half of a creation: waits for the site, and removes the cloudlet whose site failed. */
export async function awaitCloudlet(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { timeouts } = context;
  const outcome = await operation.wait(CloudletKind, key, (cloudlet) => {
    if (cloudlet === undefined) return { errors: ["the cloudlet was removed"] };
    if (cloudlet.state === TrackedState.READY) return "ready";
    return cloudlet.state === TrackedState.CREATE_ERROR ? { errors: cloudlet.errors } : undefined;
  }, timeouts.createCloudletMs);
  if (outcome === "ready") return operation.progress.line("Created cloudlet");
  if (outcome === "timeout") {
    // Unlike an instance, a site may be connected by people hours later, so it stays.
    const message = "The cloudlet's resource manager has not connected yet; the cloudlet is ready when it has";
    return operation.progress.line(message, STILL_IN_PROGRESS);
  }
  await deleteStored(context, operation, CloudletKind, key, { remove: freeCloudlet });
  throw siteFailure(outcome.errors);
}

/** DeleteCloudlet, as an operation. */
export async function removeCloudlet(context: ApiContext, operation: Operation, key: string): Promise<void> {
  await deleteStored(context, operation, CloudletKind, key, { remove: freeCloudlet });
  await dropSecrets(context.secrets, context.region.name, CloudletKind.parseKey(key));
  operation.progress.line("Deleted cloudlet");
}

async function update(context: ApiContext, operation: Operation, key: string, request: Cloudlet): Promise<void> {
  const { region } = context;
  let secrets: CloudletSecrets = {};
  const { moved, upgrading } = await region.change(async (tx) => {
    await operation.claim(tx);
    const cloudlet = await tx.requireUsable(CloudletKind, key);
    const issues = new Issues();
    if (request.fields.length === 0) issues.add("fields", undefined, "must name what to update");
    const before = CloudletKind.message.create(cloudlet);
    const { changed, refused } = applyMask(CloudletKind.message, cloudlet, request, request.fields);
    for (const { field, rule } of refused) issues.add(field, undefined, rule);
    refuse(issues.list);
    if (changed.length === 0) return { moved: undefined, upgrading: false };
    defaultCloudlet(cloudlet);
    issues.list.push(...requiredIssues(CloudletKind.message, cloudlet));
    checkNewCloudlet(cloudlet, issues);
    checkCloudlet(cloudlet, issues);
    refuse(issues.list);
    await requireReferences(tx, CloudletKind, cloudlet, before);
    if (hasSecrets(secretsOf(cloudlet))) requireSecrets(context.secrets);
    // A site that is not at work takes the variables when it comes up; one that is has to begin anew with them.
    const info = await tx.get(CloudletInfoKind, key);
    const upgrading = info?.state === dme.CloudletState.CLOUDLET_STATE_READY && changed.includes("env_var");
    if (upgrading) cloudlet.state = TrackedState.UPDATE_REQUESTED;
    tx.put(CloudletKind, cloudlet);
    secrets = {
      ...secretsOf(cloudlet),
      ...(changed.includes("kafka_cluster") && cloudlet.kafkaCluster === "" && { kafka: "drop" as const }),
    };
    return { moved: changed.some((field) => field.startsWith("location")) ? cloudlet.location : undefined, upgrading };
  });
  await saveSecrets(context.secrets, region.name, request.key, secrets);
  if (moved) {
    await moveInstances(context, key, moved);
    await movePolicies(context, key, moved);
  }
  if (upgrading) await awaitCloudletUpdate(context, operation, key);
  else operation.progress.line("Updated cloudlet");
}

/** Second half of an update: waits until the site has come up with what changed. */
export async function awaitCloudletUpdate(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { timeouts } = context;
  let last = TrackedState.UPDATE_REQUESTED as TrackedState;
  const outcome = await operation.wait(CloudletKind, key, (cloudlet) => {
    last = cloudlet?.state ?? TrackedState.NOT_PRESENT;
    if (cloudlet === undefined) return { errors: ["the cloudlet was removed"] };
    if (cloudlet.state === TrackedState.READY) return "ready";
    return cloudlet.state === TrackedState.UPDATE_ERROR ? { errors: cloudlet.errors } : undefined;
  }, timeouts.updateCloudletMs);
  if (outcome === "timeout") {
    if (last === TrackedState.UPDATE_REQUESTED) throw timedOut("the cloudlet did not begin; it updates when it can");
    return operation.progress.line("The cloudlet is still updating", STILL_IN_PROGRESS);
  }
  if (outcome !== "ready") throw siteFailure(outcome.errors);
  operation.progress.line("Updated cloudlet");
}

/** Tells the instances on a cloudlet, which carry its place, that it has moved. */
async function moveInstances({ region }: ApiContext, key: string, location: Cloudlet["location"]): Promise<void> {
  for (const [instanceKey, { key: { clusterInstKey } }] of region.cache.table(AppInstKind)) {
    if (CloudletKind.keyString(clusterInstKey.cloudletKey) !== key) continue;
    await region.change(async (tx) => {
      const instance = await tx.get(AppInstKind, instanceKey);
      if (instance) tx.put(AppInstKind, { ...instance, cloudletLoc: location });
    });
  }
}

/** Removes, with a cloudlet, all that only it had use for. */
// deno-lint-ignore require-await -- async as the deletion wants it
async function freeCloudlet(tx: ObjectTx, cloudlet: Cloudlet): Promise<void> {
  const key = CloudletKind.keyString(cloudlet.key);
  tx.remove(CloudletInfoKind, key);
  tx.removeRow(cloudletRefsRow(key));
  tx.remove(CloudletRefsKind, key);
  tx.removeRow(cloudletLabelRow(cloudlet.dnsLabel));
  freeVmPool(tx, cloudlet);
}
