import {
  type Cloudlet,
  type CloudletInfo,
  CloudletInfoKind,
  CloudletKind,
  dme,
  TrackedState,
  TrustPolicyKind,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { failedPrecondition } from "../../faults.ts";
import type { Operation } from "../../operations/operation.ts";
import { overrideOf } from "../../rules/crm_override.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { trustPolicyKey } from "../../state/trust_rules.ts";
import { requireTrustUnder } from "../app_trust.ts";
import { siteFailure, STILL_IN_PROGRESS, timedOut } from "../site_work.ts";

const { UPDATE_REQUESTED, UPDATING, UPDATE_ERROR, READY, NOT_PRESENT } = TrackedState;

/** Whether the site has been asked to put the trust policy in force and has not answered. */
export function isPolicyOnItsWay({ trustPolicyState }: Cloudlet): boolean {
  return trustPolicyState === UPDATE_REQUESTED || trustPolicyState === UPDATING;
}

/**
 * Asks, in the transaction that stores the cloudlet, for the policy that it names now to be put in force: only on a site
 * that is ready, and only where every instance fits (specification 4.8, 5.5).
 */
export async function askForTrustPolicy(
  context: ApiContext,
  tx: ObjectTx,
  cloudlet: Cloudlet,
  { info, ignoresSite }: { info: CloudletInfo; ignoresSite: boolean },
): Promise<void> {
  const key = CloudletKind.keyString(cloudlet.key);
  if (!ignoresSite && (cloudlet.state !== READY || info.state !== dme.CloudletState.CLOUDLET_STATE_READY)) {
    throw failedPrecondition(`Cloudlet ${key} is not ready: its trust policy cannot be changed now`);
  }
  if (cloudlet.trustPolicy !== "") {
    await requireTrustUnder(context, tx, await tx.require(TrustPolicyKind, trustPolicyKey(cloudlet)), [cloudlet]);
  }
  const inForce = cloudlet.trustPolicy === "" ? NOT_PRESENT : READY;
  cloudlet.trustPolicyState = ignoresSite ? inForce : UPDATE_REQUESTED;
}

/** Waits until the policy is in force; false when the site is still at it. */
export async function awaitTrustPolicy(context: ApiContext, operation: Operation, key: string): Promise<boolean> {
  const { region, timeouts } = context;
  let last = UPDATE_REQUESTED as TrackedState;
  await region.change((tx) => operation.note(tx, { timeoutMs: timeouts.updateTrustPolicyMs }));
  const outcome = await operation.wait(CloudletKind, key, (cloudlet) => {
    if (cloudlet === undefined) return "gone";
    last = cloudlet.trustPolicyState;
    if (last === READY || last === NOT_PRESENT) return "done";
    return last === UPDATE_ERROR ? "failed" : undefined;
  }, timeouts.updateTrustPolicyMs);
  switch (outcome) {
    case "done":
      return true;
    case "gone":
      throw siteFailure(["the cloudlet was removed"]);
    case "timeout":
      if (last === UPDATING) {
        operation.progress.line("The cloudlet is still taking the trust policy over", STILL_IN_PROGRESS);
        return false;
      }
      await settle(UPDATE_REQUESTED, UPDATE_ERROR);
      throw timedOut("the cloudlet did not begin to take the trust policy over");
    case "failed": {
      const errors = region.cache.get(CloudletInfoKind, key)?.errors ?? [];
      if (!overrideOf(operation.override).ignoresErrors) throw siteFailure(errors);
      await settle(UPDATE_ERROR, undefined);
      for (const error of errors) operation.progress.line(`Ignored: ${error}`);
      return true;
    }
  }

  async function settle(from: TrackedState, to: TrackedState | undefined): Promise<void> {
    await region.change(async (tx) => {
      const cloudlet = await tx.get(CloudletKind, key);
      if (cloudlet?.trustPolicyState !== from) return;
      const trustPolicyState = to ?? (cloudlet.trustPolicy === "" ? NOT_PRESENT : READY);
      tx.put(CloudletKind, { ...cloudlet, trustPolicyState });
    });
  }
}

/** Asks a cloudlet whose policy has got other rules to put them in force, as an operation of its own. */
export async function pushTrustPolicy(context: ApiContext, operation: Operation, key: string): Promise<void> {
  const { region } = context;
  await region.change(async (tx) => {
    await operation.claim(tx);
    const cloudlet = await tx.requireUsable(CloudletKind, key);
    const info = await tx.get(CloudletInfoKind, key);
    if (info?.state !== dme.CloudletState.CLOUDLET_STATE_READY) {
      throw failedPrecondition(`Cloudlet ${key} is not ready to take the trust policy over`);
    }
    tx.put(CloudletKind, { ...cloudlet, trustPolicyState: UPDATE_REQUESTED });
  });
  if (await awaitTrustPolicy(context, operation, key)) operation.progress.line("Updated the trust policy's rules");
}
