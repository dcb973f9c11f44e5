import {
  type App,
  AppInstKind,
  AppKind,
  type Cloudlet,
  CloudletKind,
  TrustPolicyExceptionKind,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { type AnyKind, failedPrecondition, inUse } from "../faults.ts";
import { distrustOf } from "../rules/trust.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import type { RegionCache } from "../state/region_cache.ts";
import { exceptionsOf, trustRulesOf } from "../state/trust_rules.ts";

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

/** Throws E_TRUST when an app may not run on a cloudlet (specification 4.8). */
export function requireTrustOf(cache: RegionCache, app: App, cloudlet: Cloudlet): void {
  const key = AppKind.keyString(app.key);
  const rules = trustRulesOf(cache, cloudlet, key);
  const distrust = rules && distrustOf(app, rules);
  if (distrust === undefined) return;
  throw failedPrecondition(`App ${key} may not run on cloudlet ${CloudletKind.keyString(cloudlet.key)}: ${distrust}`);
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
