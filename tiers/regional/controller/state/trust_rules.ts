import {
  AppKind,
  type Cloudlet,
  CloudletKind,
  CloudletPoolKind,
  type SecurityRule,
  type TrustPolicy,
  type TrustPolicyException,
  TrustPolicyExceptionKind,
  TrustPolicyExceptionState,
  TrustPolicyKind,
} from "../../../../shared/schema/mod.ts";
import type { AnyKind } from "../faults.ts";
import type { RegionCache } from "./region_cache.ts";

/** What will be otherwise than the cache says. */
export interface TrustChange {
  /** The cloudlet's policy. */
  readonly policy?: TrustPolicy;
  /** Keys of exceptions that will not count any more. */
  readonly lifted?: ReadonlySet<string>;
}

/**
 * What an app may reach from a cloudlet where a trust policy is in force: the rules of the policy, and of the active
 * exceptions for this app and a pool of the cloudlet (specification 4.8). Undefined without a policy.
 */
export function trustRulesOf(
  cache: RegionCache,
  cloudlet: Pick<Cloudlet, "key" | "trustPolicy">,
  appKeyString: string,
  change: TrustChange = {},
): SecurityRule[] | undefined {
  if (cloudlet.trustPolicy === "") return undefined;
  const policy = change.policy ?? cache.get(TrustPolicyKind, trustPolicyKey(cloudlet));
  const rules = [...policy?.outboundSecurityRules ?? []];
  const pools = cache.referrersOfKind(
    CloudletKind as AnyKind,
    CloudletKind.keyString(cloudlet.key),
    CloudletPoolKind as AnyKind,
  );
  for (const key of exceptionsOf(cache, appKeyString)) {
    const exception = cache.get(TrustPolicyExceptionKind, key);
    if (exception === undefined || !isActive(exception) || change.lifted?.has(key)) continue;
    if (pools.has(CloudletPoolKind.keyString(exception.key.cloudletPoolKey))) {
      rules.push(...exception.outboundSecurityRules);
    }
  }
  return rules;
}

/** Whether an exception counts. */
export function isActive({ state }: TrustPolicyException): boolean {
  return state === TrustPolicyExceptionState.TRUST_POLICY_EXCEPTION_STATE_ACTIVE;
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
