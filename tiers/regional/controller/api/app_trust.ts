import {
  type App,
  AppInstKind,
  AppKind,
  type Cloudlet,
  CloudletKind,
  type TrustPolicy,
  TrustPolicyExceptionKind,
  TrustPolicyKind,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { type AnyKind, failedPrecondition, inUse } from "../faults.ts";
import { distrustOf } from "../rules/trust.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import type { RegionCache } from "../state/region_cache.ts";
import { exceptionsOf, trustPolicyKey, trustRulesOf } from "../state/trust_rules.ts";

/** Fields of an app that a trust policy looks at. */
const TRUST_FIELDS = ["trusted", "required_outbound_connections"];

/**
 * Checks a change of what an app may be trusted with, in the transaction that makes it: on every cloudlet with a trust
 * policy that has an instance of the app the policy must allow what it then needs (E_TRUST), and an app with exceptions
 * stays trusted (E_INUSE).
 */
export async function requireTrust(
  { region: { cache } }: ApiContext,
  tx: ObjectTx,
  app: App,
  changed: readonly string[],
): Promise<void> {
  if (!changed.some((field) => TRUST_FIELDS.includes(field))) return;
  const key = AppKind.keyString(app.key);
  const start = `{"app_key":${key},`;
  await tx.hold(TrustPolicyExceptionKind, start);
  await cache.reached(await tx.hold(AppInstKind, start));
  const exceptions = app.trusted ? [] : exceptionsOf(cache, key);
  if (exceptions.length > 0) {
    throw inUse(AppKind, exceptions.map((keyString) => ({ kind: TrustPolicyExceptionKind as AnyKind, keyString })));
  }
  const faults: string[] = [];
  for (const cloudletKey of cloudletsOf(cache, key)) {
    // Read in the transaction, as its policy may be exchanged at the same moment.
    const cloudlet = await tx.get(CloudletKind, cloudletKey);
    const rules = cloudlet && trustRulesOf(cache, cloudlet, key);
    const distrust = rules && distrustOf(app, rules);
    if (distrust) faults.push(`on cloudlet ${cloudletKey} ${distrust}`);
  }
  if (faults.length > 0) {
    throw failedPrecondition(`App ${key} has instances that would not be trusted: ${faults.join("; ")}`);
  }
}

/**
 * Throws E_TRUST when an app may not run on a cloudlet (specification 4.8), in the transaction that places it there: the
 * policy is read in it, so a change of the policy at the same moment makes it run again.
 */
export async function requireTrustOf(tx: ObjectTx, cache: RegionCache, app: App, cloudlet: Cloudlet): Promise<void> {
  if (cloudlet.trustPolicy === "") return;
  const policy = await tx.get(TrustPolicyKind, trustPolicyKey(cloudlet));
  const key = AppKind.keyString(app.key);
  const distrust = distrustOf(app, trustRulesOf(cache, cloudlet, key, policy) ?? []);
  if (distrust === undefined) return;
  throw failedPrecondition(`App ${key} may not run on cloudlet ${CloudletKind.keyString(cloudlet.key)}: ${distrust}`);
}

/**
 * Throws E_TRUST when an app that runs on a cloudlet would not be trusted there under a policy that is to be put in force
 * or changed, in the transaction that does it. `cloudlets` are as they then are.
 */
export async function requireTrustUnder(
  { region: { cache } }: ApiContext,
  tx: ObjectTx,
  policy: TrustPolicy,
  cloudlets: readonly Cloudlet[],
): Promise<void> {
  await cache.reached(await tx.hold(AppInstKind, ""));
  const faults: string[] = [];
  for (const cloudlet of cloudlets) {
    const cloudletKey = CloudletKind.keyString(cloudlet.key);
    for (const key of cache.referrersOfKind(CloudletKind as AnyKind, cloudletKey, AppInstKind as AnyKind)) {
      const instance = cache.get(AppInstKind, key);
      const app = instance && cache.get(AppKind, AppKind.keyString(instance.key.appKey));
      if (app === undefined) continue;
      const appKey = AppKind.keyString(app.key);
      const distrust = distrustOf(app, trustRulesOf(cache, cloudlet, appKey, policy) ?? []);
      if (distrust) faults.push(`App ${appKey} on cloudlet ${cloudletKey}: ${distrust}`);
    }
  }
  if (faults.length > 0) throw failedPrecondition(`Instances would not be trusted: ${[...new Set(faults)].join("; ")}`);
}

/** The cloudlets on which a policy is in force. */
export function cloudletsUnder({ region: { cache } }: ApiContext, policyKey: string): Cloudlet[] {
  return [...cache.referrersOfKind(TrustPolicyKind as AnyKind, policyKey, CloudletKind as AnyKind)]
    .map((key) => cache.get(CloudletKind, key)).filter((cloudlet) => cloudlet !== undefined);
}

/** Cloudlets that have an instance of an app. */
function cloudletsOf(cache: RegionCache, appKey: string): Set<string> {
  const found = new Set<string>();
  for (const key of cache.referrersOfKind(AppKind as AnyKind, appKey, AppInstKind as AnyKind)) {
    const instance = cache.get(AppInstKind, key);
    if (instance) found.add(CloudletKind.keyString(instance.key.clusterInstKey.cloudletKey));
  }
  return found;
}
