import type { Handlers } from "../../../../../shared/rpc/mod.ts";
import {
  type AlertPolicyApi,
  AlertPolicyKind,
  AppKind,
  AutoProvPolicy,
  type AutoProvPolicyApi,
  type AutoProvPolicyCloudlet,
  AutoProvPolicyKind,
  type AutoScalePolicyApi,
  AutoScalePolicyKind,
  type Cloudlet,
  CloudletKind,
  requiredIssues,
  type TrustPolicyApi,
  type TrustPolicyExceptionApi,
  TrustPolicyExceptionKind,
  TrustPolicyExceptionState,
  TrustPolicyKind,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { type AnyKind, failedPrecondition, refuse } from "../../faults.ts";
import {
  checkAlertPolicy,
  checkAutoProvPolicy,
  checkAutoScalePolicy,
  checkTrustPolicy,
  checkTrustPolicyException,
  defaultAutoScalePolicy,
} from "../../rules/policies.ts";
import { defaultSecurityRules } from "../../rules/security_rules.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { currentSettings } from "../../state/settings.ts";
import { isActive } from "../../state/trust_rules.ts";
import { cloudletsUnder, requireTrustUnder, requireTrustWithoutException } from "../app_trust.ts";
import { done } from "../requests.ts";
import { catalog, streamed } from "./catalog.ts";
import { updateTrustPolicy } from "./trust_policy_update.ts";

/** Handlers of AutoProvPolicyApi. */
export function autoProvPolicyApi(context: ApiContext): Handlers<typeof AutoProvPolicyApi> {
  const policies = catalog(context, AutoProvPolicyKind, { check: checkAutoProvPolicy, within: copyPlaces });

  /** The policy of a request about one cloudlet. */
  function policyOf({ key, cloudletKey }: AutoProvPolicyCloudlet): AutoProvPolicy {
    const issues = requiredIssues(CloudletKind.keyMessage, cloudletKey);
    refuse(issues.map((issue) => ({ ...issue, path: `cloudlet_key.${issue.path}` })));
    return AutoProvPolicy.create({ key });
  }

  return {
    createAutoProvPolicy: policies.create,
    deleteAutoProvPolicy: policies.remove,
    updateAutoProvPolicy: policies.update,
    showAutoProvPolicy: policies.show,
    async addAutoProvPolicyCloudlet(request) {
      await policies.modify(policyOf(request), ({ cloudlets }, issues) => {
        const wanted = CloudletKind.keyString(request.cloudletKey);
        const absent = !cloudlets.some(({ key }) => CloudletKind.keyString(key) === wanted);
        issues.check(absent, "cloudlet_key", wanted, "already exists in the policy");
        cloudlets.push({ key: request.cloudletKey, loc: undefined });
      });
      return done("Added cloudlet to the policy");
    },
    async removeAutoProvPolicyCloudlet(request) {
      await policies.modify(policyOf(request), (policy) => {
        const gone = CloudletKind.keyString(request.cloudletKey);
        policy.cloudlets = policy.cloudlets.filter(({ key }) => CloudletKind.keyString(key) !== gone);
      });
      return done("Removed cloudlet from the policy");
    },
  };
}

/** A policy carries the places of its cloudlets. One that does not exist is for the check of references to say. */
async function copyPlaces(tx: ObjectTx, policy: AutoProvPolicy): Promise<void> {
  for (const entry of policy.cloudlets) {
    entry.loc = (await tx.get(CloudletKind, CloudletKind.keyString(entry.key)))?.location;
  }
}

/** Tells the policies that name a cloudlet that it has moved. */
export async function movePolicies({ region }: ApiContext, key: string, location: Cloudlet["location"]): Promise<void> {
  const naming = region.cache.referrersOfKind(CloudletKind as AnyKind, key, AutoProvPolicyKind as AnyKind);
  for (const policyKey of [...naming]) {
    await region.change(async (tx) => {
      const policy = await tx.get(AutoProvPolicyKind, policyKey);
      if (policy === undefined) return;
      for (const entry of policy.cloudlets) if (CloudletKind.keyString(entry.key) === key) entry.loc = location;
      tx.put(AutoProvPolicyKind, policy);
    });
  }
}

/** Handlers of AutoScalePolicyApi. */
export function autoScalePolicyApi(context: ApiContext): Handlers<typeof AutoScalePolicyApi> {
  const policies = catalog(context, AutoScalePolicyKind, {
    defaults: defaultAutoScalePolicy,
    check: checkAutoScalePolicy,
  });
  return {
    createAutoScalePolicy: policies.create,
    deleteAutoScalePolicy: policies.remove,
    updateAutoScalePolicy: policies.update,
    showAutoScalePolicy: policies.show,
  };
}

/** Handlers of AlertPolicyApi. */
export function alertPolicyApi(context: ApiContext): Handlers<typeof AlertPolicyApi> {
  const policies = catalog(context, AlertPolicyKind, {
    check: (policy, issues) => checkAlertPolicy(policy, issues, currentSettings(context.region.cache)),
  });
  return {
    createAlertPolicy: policies.create,
    deleteAlertPolicy: policies.remove,
    updateAlertPolicy: policies.update,
    showAlertPolicy: policies.show,
  };
}

/** Handlers of TrustPolicyApi. */
export function trustPolicyApi(context: ApiContext): Handlers<typeof TrustPolicyApi> {
  const policies = catalog(context, TrustPolicyKind, {
    defaults: (policy) => defaultSecurityRules(policy.outboundSecurityRules),
    check: checkTrustPolicy,
    async within(tx, policy, before) {
      if (before === undefined) return;
      await requireTrustUnder(context, tx, policy, cloudletsUnder(context, TrustPolicyKind.keyString(policy.key)));
    },
  });
  return {
    createTrustPolicy: (request) => streamed(policies.create(request)),
    deleteTrustPolicy: (request, call) => streamed(policies.remove(request, call)),
    updateTrustPolicy: (request, call) => updateTrustPolicy(context, policies, request).read(call.signal),
    showTrustPolicy: policies.show,
  };
}

/** Handlers of TrustPolicyExceptionApi. Who may change what of one is the master controller's to know. */
export function trustPolicyExceptionApi(context: ApiContext): Handlers<typeof TrustPolicyExceptionApi> {
  const exceptions = catalog(context, TrustPolicyExceptionKind, {
    defaults(exception, before) {
      if (before === undefined) {
        exception.state = TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_APPROVAL_REQUESTED;
      } else if (exception.outboundSecurityRules.length === 0) {
        exception.outboundSecurityRules = before.outboundSecurityRules;
      }
      defaultSecurityRules(exception.outboundSecurityRules);
    },
    check: checkTrustPolicyException,
    async within(tx, exception, before) {
      if (before !== undefined && !isActive(exception)) await requireTrustWithoutException(context, tx, before);
      const app = await tx.get(AppKind, AppKind.keyString(exception.key.appKey));
      if (before === undefined && app !== undefined && !app.trusted) {
        throw failedPrecondition(`App ${AppKind.keyString(app.key)} is not trusted: exceptions are for trusted apps`);
      }
    },
    removing: (tx, exception) => requireTrustWithoutException(context, tx, exception),
  });
  return {
    createTrustPolicyException: exceptions.create,
    deleteTrustPolicyException: exceptions.remove,
    updateTrustPolicyException: exceptions.update,
    showTrustPolicyException: exceptions.show,
  };
}
