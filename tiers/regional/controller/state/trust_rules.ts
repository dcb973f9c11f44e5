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
 *
 * @param policy the cloudlet's policy, when it is not the one in the cache
 */
export function trustRulesOf(
  cache: RegionCache,
  cloudlet: Pick<Cloudlet, "key" | "trustPolicy">,
  appKeyString: string,
  policy = cache.get(TrustPolicyKind, trustPolicyKey(cloudlet)),
): SecurityRule[] | undefined {
  if (cloudlet.trustPolicy === "") return undefined;
  const rules = [...policy?.outboundSecurityRules ?? []];
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

/** Key of the policy that a cloudlet names. */
export function trustPolicyKey({ key, trustPolicy }: Pick<Cloudlet, "key" | "trustPolicy">): string {
  const { organization } = key;
  return TrustPolicyKind.keyString(TrustPolicyKind.keyMessage.create({ organization, name: trustPolicy }));
}
