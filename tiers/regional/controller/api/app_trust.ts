import {
  type App,
  AppInstKind,
  AppKind,
  type Cloudlet,
  CloudletKind,
  CloudletPoolKind,
  type TrustPolicy,
  type TrustPolicyException,
  TrustPolicyExceptionKind,
  TrustPolicyKind,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { type AnyKind, failedPrecondition, inUse } from "../faults.ts";
import { distrustOf } from "../rules/trust.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import type { RegionCache } from "../state/region_cache.ts";
import { exceptionsOf, isActive, trustPolicyKey, trustRulesOf } from "../state/trust_rules.ts";

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
  await holdTrust(tx, cache, [key]);
  const exceptions = app.trusted ? [] : exceptionsOf(cache, key);
  if (exceptions.length > 0) {
    throw inUse(AppKind, exceptions.map((keyString) => ({ kind: TrustPolicyExceptionKind as AnyKind, keyString })));
  }
  await readExceptions(tx, cache, [key]);
  const faults: string[] = [];
  for (const cloudletKey of cloudletsOf(cache, key)) {
    const cloudlet = cache.get(CloudletKind, cloudletKey);
    const rules = cloudlet && trustRulesOf(cache, cloudlet, key);
    const distrust = rules && distrustOf(app, rules);
    if (distrust) faults.push(`on cloudlet ${cloudletKey} ${distrust}`);
  }
  if (faults.length > 0) {
    throw failedPrecondition(`App ${key} has instances that would not be trusted: ${faults.join("; ")}`);
  }
}

/**
 * Throws E_TRUST when an app may not run on a cloudlet (specification 4.8), in the transaction that places it there: a
 * change of the policy, of the app's exceptions, or of pools at the same moment makes it run again.
 */
export async function requireTrustOf(tx: ObjectTx, cache: RegionCache, app: App, cloudlet: Cloudlet): Promise<void> {
  if (cloudlet.trustPolicy === "") return;
  const key = AppKind.keyString(app.key);
  const policy = await tx.get(TrustPolicyKind, trustPolicyKey(cloudlet));
  await tx.hold(CloudletPoolKind, "");
  await cache.reached(await tx.hold(TrustPolicyExceptionKind, ofApp(key)));
  await readExceptions(tx, cache, [key]);
  const distrust = distrustOf(app, trustRulesOf(cache, cloudlet, key, { policy }) ?? []);
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
  await holdTrust(tx, cache);
  const apps = new Set<string>();
  const faults: string[] = [];
  for (const cloudlet of cloudlets) {
    const cloudletKey = CloudletKind.keyString(cloudlet.key);
    for (const key of cache.referrersOfKind(CloudletKind as AnyKind, cloudletKey, AppInstKind as AnyKind)) {
      const instance = cache.get(AppInstKind, key);
      const app = instance && cache.get(AppKind, AppKind.keyString(instance.key.appKey));
      if (app === undefined) continue;
      const appKey = AppKind.keyString(app.key);
      const distrust = distrustOf(app, trustRulesOf(cache, cloudlet, appKey, { policy }) ?? []);
      if (distrust) faults.push(`App ${appKey} on cloudlet ${cloudletKey}: ${distrust}`);
      apps.add(appKey);
    }
  }
  await readExceptions(tx, cache, apps);
  if (faults.length > 0) throw failedPrecondition(`Instances would not be trusted: ${[...new Set(faults)].join("; ")}`);
}

/**
 * Throws E_TRUST when apps run on cloudlets where they are trusted by exceptions that will not count there any more, in the
 * transaction that takes them away.
 */
async function requireTrustWithout(
  { region: { cache } }: ApiContext,
  tx: ObjectTx,
  exceptions: readonly TrustPolicyException[],
  cloudletKeys: readonly string[],
): Promise<void> {
  const active = exceptions.filter(isActive);
  const lifted = new Set(active.map((each) => TrustPolicyExceptionKind.keyString(each.key)));
  const apps = new Set(active.map((each) => AppKind.keyString(each.key.appKey)));
  await holdTrust(tx, cache, apps);
  await readExceptions(tx, cache, apps);
  const faults = new Set<string>();
  for (const appKey of apps) {
    const app = cache.get(AppKind, appKey);
    const used = cloudletsOf(cache, appKey);
    for (const cloudletKey of cloudletKeys.filter((key) => used.has(key))) {
      const cloudlet = cache.get(CloudletKind, cloudletKey);
      const rules = cloudlet && trustRulesOf(cache, cloudlet, appKey, { lifted });
      const distrust = app && rules && distrustOf(app, rules);
      if (distrust) faults.add(`App ${appKey} on cloudlet ${cloudletKey}: ${distrust}`);
    }
  }
  if (faults.size > 0) throw failedPrecondition(`Instances would not be trusted: ${[...faults].join("; ")}`);
}

/** {@linkcode requireTrustWithout} an exception, wherever it counts. */
export async function requireTrustWithoutException(
  context: ApiContext,
  tx: ObjectTx,
  exception: TrustPolicyException,
): Promise<void> {
  if (!isActive(exception)) return;
  const pool = await tx.get(CloudletPoolKind, CloudletPoolKind.keyString(exception.key.cloudletPoolKey));
  await requireTrustWithout(context, tx, [exception], pool?.cloudlets.map(CloudletKind.keyString) ?? []);
}

/** {@linkcode requireTrustWithout} the exceptions of a pool, on cloudlets that leave it. */
export async function requireTrustOutside(
  context: ApiContext,
  tx: ObjectTx,
  poolKey: string,
  leaving: readonly string[],
): Promise<void> {
  if (leaving.length === 0) return;
  const { cache } = context.region;
  await cache.reached(await tx.hold(TrustPolicyExceptionKind, ""));
  const keys = cache.referrersOfKind(CloudletPoolKind as AnyKind, poolKey, TrustPolicyExceptionKind as AnyKind);
  const exceptions = [...keys].map((key) => cache.get(TrustPolicyExceptionKind, key)).filter((each) =>
    each !== undefined
  );
  await requireTrustWithout(context, tx, exceptions, leaving);
}

/**
 * Makes a transaction run again when anything changes that decides over trust, and has the cache show all of it.
 *
 * @param appKeys the apps that matter. @default all of them
 */
async function holdTrust(tx: ObjectTx, cache: RegionCache, appKeys?: Iterable<string>): Promise<void> {
  let revision = 0;
  for (const kind of [TrustPolicyKind, CloudletPoolKind, CloudletKind] as readonly AnyKind[]) {
    revision = await tx.hold(kind, "");
  }
  for (const appKey of appKeys ?? [undefined]) {
    const start = appKey === undefined ? "" : ofApp(appKey);
    await tx.hold(AppKind, appKey ?? "");
    await tx.hold(TrustPolicyExceptionKind, start);
    await tx.hold(AppInstKind, start);
  }
  await cache.reached(revision);
}

/** Makes a transaction run again when exceptions of apps go: those that are held are missed only when they change. */
async function readExceptions(tx: ObjectTx, cache: RegionCache, appKeys: Iterable<string>): Promise<void> {
  for (const appKey of appKeys) {
    for (const key of exceptionsOf(cache, appKey)) await tx.get(TrustPolicyExceptionKind, key);
  }
}

/** Beginning of the keys that begin with an app. */
function ofApp(appKey: string): string {
  return `{"app_key":${appKey},`;
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
