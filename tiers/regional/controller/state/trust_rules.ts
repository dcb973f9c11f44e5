import {
  AppKind,
  type Cloudlet,
  CloudletKind,
  CloudletPoolKind,
  type SecurityRule,
  TrustPolicyExceptionKind,
  TrustPolicyExceptionState,
  TrustPolicyKind,
} from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import type { RegionCache } from "./region_cache.ts";

/**
 * What an app may reach from a cloudlet where a trust policy is in force: the rules of the policy, and of the active
 * exceptions for this app and a pool of the cloudlet (specification 4.8). Undefined without a policy.
 */
export function trustRulesOf(
  cache: RegionCache,
  cloudlet: Pick<Cloudlet, "key" | "trustPolicy">,
  appKeyString: string,
): SecurityRule[] | undefined {
  if (cloudlet.trustPolicy === "") return undefined;
  const policyKey = TrustPolicyKind.keyMessage.create({
    organization: cloudlet.key.organization,
    name: cloudlet.trustPolicy,
  });
  const rules = [...cache.get(TrustPolicyKind, TrustPolicyKind.keyString(policyKey))?.outboundSecurityRules ?? []];
  const pools = cache.referrersOfKind(
    CloudletKind as AnyKind,
    CloudletKind.keyString(cloudlet.key),
    CloudletPoolKind as AnyKind,
  );
  for (const key of exceptionsOf(cache, appKeyString)) {
    const exception = cache.get(TrustPolicyExceptionKind, key);
    if (exception?.state !== TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_ACTIVE) continue;
    if (pools.has(CloudletPoolKind.keyString(exception.key.cloudletPoolKey))) {
      rules.push(...exception.outboundSecurityRules);
    }
  }
  return rules;
}

/** Keys of the exceptions that name an app. */
export function exceptionsOf(cache: RegionCache, appKeyString: string): string[] {
  return [...cache.referrersOfKind(AppKind as AnyKind, appKeyString, TrustPolicyExceptionKind as AnyKind)];
}
