import {
  AutoProvInfoKind,
  type Cloudlet,
  CloudletInfoKind,
  CloudletKind,
  CloudletRefsKind,
  CRMOverride,
  InfraApiAccess,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { alreadyExists, failedPrecondition } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import { overrideOf } from "../../rules/crm_override.ts";
import { cloudletLabel, MAX_CLOUDLET_LABEL_CHARACTERS, sharedFqdn } from "../../rules/dns_labels.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { requireReferences } from "../../state/references.ts";
import { cloudletLabelRow, cloudletRefsRow } from "../../state/rows.ts";
import { freeVmPool, holdVmPool } from "../cloudlet_vm_pool.ts";
import { deleteStored } from "../deletion.ts";
import { takeName } from "../labels.ts";
import { siteFailure, STILL_IN_PROGRESS } from "../site_work.ts";
import { settleGpuConfig } from "./gpu.ts";
import { dropSecrets, hasSecrets, requireSecrets, saveSecrets, secretsOf } from "./secrets.ts";

/** Step of a creation whose credentials are not kept yet; only the caller's request has them. */
const SECRETS_STEP = "secrets";

/** CreateCloudlet, as an operation (specification 5.5). */
export async function createCloudlet(
  context: ApiContext,
  operation: Operation,
  key: string,
  wanted: Cloudlet,
): Promise<void> {
  const { region, zone, timeouts } = context;
  const { ignoresSite } = overrideOf(operation.override);
  const secrets = secretsOf(wanted);
  if (hasSecrets(secrets)) requireSecrets(context.secrets);
  const restricted = wanted.infraApiAccess === InfraApiAccess.RESTRICTED_ACCESS;
  await region.change(async (tx) => {
    const step = hasSecrets(secrets) ? SECRETS_STEP : "site";
    await operation.claim(tx, { step, timeoutMs: timeouts.createCloudletMs });
    if (await tx.get(CloudletKind, key)) throw alreadyExists(CloudletKind, key);
    const cloudlet = CloudletKind.message.create(wanted);
    await requireReferences(tx, CloudletKind, cloudlet);
    await settleGpuConfig(tx, cloudlet);
    await holdVmPool(tx, cloudlet);
    cloudlet.state = ignoresSite || restricted ? TrackedState.READY : TrackedState.CREATING;
    cloudlet.trustPolicyState = trustStateAtStart(cloudlet, ignoresSite);
    cloudlet.dnsLabel = await takeName(
      tx,
      cloudletLabel(cloudlet.key),
      MAX_CLOUDLET_LABEL_CHARACTERS,
      cloudletLabelRow,
    );
    cloudlet.rootLbFqdn = sharedFqdn(cloudlet.dnsLabel, zone);
    tx.put(CloudletKind, cloudlet);
  });
  if (hasSecrets(secrets)) {
    try {
      await saveSecrets(context.secrets, region.name, wanted.key, secrets);
    } catch (error) {
      await undoCreation(context, operation, key);
      throw error;
    }
    await region.change((tx) => operation.note(tx, { step: "site", timeoutMs: timeouts.createCloudletMs }));
  }
  if (ignoresSite) return operation.progress.line("Created cloudlet, without its site");
  if (restricted) {
    return operation.progress.line("Created cloudlet; bring its resource manager up with the cloudlet's manifest");
  }
  operation.progress.line("Waiting for the cloudlet's resource manager");
  await awaitCloudlet(context, operation, key);
}

/** A policy is put in force by the site when it comes up; until then it counts as asked for. */
function trustStateAtStart({ trustPolicy }: Cloudlet, ignoresSite: boolean): TrackedState {
  if (trustPolicy === "") return TrackedState.NOT_PRESENT;
  return ignoresSite ? TrackedState.READY : TrackedState.UPDATE_REQUESTED;
}

/** Carries on a creation whose controller is gone. */
export async function resumeCloudlet(
  context: ApiContext,
  operation: Operation,
  key: string,
  step: string,
): Promise<void> {
  if (step === SECRETS_STEP) {
    await undoCreation(context, operation, key);
    throw failedPrecondition("The controller died before the cloudlet's credentials were kept: create it again");
  }
  await awaitCloudlet(context, operation, key);
}

/** Second half of a creation: waits for the site, and removes the cloudlet whose site failed. */
async function awaitCloudlet(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { timeouts, region } = context;
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
  if (operation.override === CRMOverride.IGNORE_CRM_ERRORS) {
    await region.change(async (tx) => {
      const cloudlet = await tx.get(CloudletKind, key);
      if (cloudlet?.state !== TrackedState.CREATE_ERROR) return;
      tx.put(CloudletKind, { ...cloudlet, state: TrackedState.READY, errors: [] });
    });
    for (const error of outcome.errors) operation.progress.line(`Ignored: ${error}`);
    return operation.progress.line("Created cloudlet, whatever its site says");
  }
  await undoCreation(context, operation, key);
  throw siteFailure(outcome.errors);
}

async function undoCreation(context: ApiContext, operation: Operation, key: string): Promise<void> {
  await deleteStored(context, operation, CloudletKind, key, { remove: freeCloudlet });
  await dropSecrets(context.secrets, context.region.name, CloudletKind.parseKey(key));
}

/** Removes, with a cloudlet, all that only it had use for. */
// deno-lint-ignore require-await -- async as the deletion wants it
export async function freeCloudlet(tx: ObjectTx, cloudlet: Cloudlet): Promise<void> {
  const key = CloudletKind.keyString(cloudlet.key);
  tx.remove(CloudletInfoKind, key);
  tx.removeRow(cloudletRefsRow(key));
  tx.remove(CloudletRefsKind, key);
  tx.remove(AutoProvInfoKind, key);
  tx.removeRow(cloudletLabelRow(cloudlet.dnsLabel));
  freeVmPool(tx, cloudlet);
}
