import type { Metadata } from "../../../../../shared/rpc/mod.ts";
import {
  type App,
  type AppInst,
  AppInstKind,
  AppKind,
  type AutoProvPolicy,
  AutoProvPolicyKind,
  CloudletInfoKind,
  CloudletKind,
  dme,
} from "../../../../../shared/schema/mod.ts";
import { failedPrecondition, refuse } from "../../faults.ts";
import { isDeleting } from "../../operations/transitions.ts";
import { Issues } from "../../rules/issues.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import type { RegionCache } from "../../state/region_cache.ts";

/** Why instances come and go by policy. */
const REASONS = ["demand", "minmax", "orphaned"] as const;

/** What the auto-provisioner means by a call; it was decided some time ago, so it must be checked again. */
export interface AutoProvIntent {
  readonly reason: typeof REASONS[number];
  /** Name of the policy, of the app's organization. */
  readonly policy: string;
}

/** Reads the intent of a call of the auto-provisioner; undefined for calls of others. Throws for a reason that is none. */
export function autoProvIntent(metadata: Metadata): AutoProvIntent | undefined {
  if (metadata.get("caller-auto-prov") === undefined) return undefined;
  const text = metadata.get("auto-prov-reason") ?? "";
  const reason = REASONS.find((known) => known === text);
  const issues = new Issues();
  issues.check(reason !== undefined, "auto-prov-reason", text, `must be one of ${REASONS.join(", ")}`);
  refuse(issues.list);
  return { reason: reason!, policy: metadata.get("auto-prov-policy-name") ?? "" };
}

/** Instances of an app as policies count them. */
interface Counting {
  readonly total: number;
  readonly online: number;
}

/** Throws E_AUTOPROV unless an instance that the auto-provisioner wants is still wanted (specification 4.9). */
export async function checkCreation(
  tx: ObjectTx,
  cache: RegionCache,
  app: App,
  instance: AppInst,
  intent: AutoProvIntent,
): Promise<void> {
  await holdInstances(tx, cache, app);
  const cloudletKey = CloudletKind.keyString(instance.key.clusterInstKey.cloudletKey);
  if (instancesOf(cache, app).some((other) => cloudletOf(other) === cloudletKey)) {
    throw failedPrecondition(`The app has an instance on cloudlet ${cloudletKey} already`);
  }
  switch (intent.reason) {
    case "demand":
      for (const policy of policiesAt(cache, app, cloudletKey)) {
        const { total } = count(cache, app, policy);
        if (policy.maxInstances === 0 || total < policy.maxInstances) continue;
        throw failedPrecondition(`Policy ${policy.key.name} allows ${policy.maxInstances} instances, which are there`);
      }
      return;
    case "minmax": {
      const policy = requirePolicy(cache, app, intent);
      if (count(cache, app, policy).online < policy.minActiveInstances) return;
      throw failedPrecondition("Create to satisfy min already met, ignoring");
    }
    case "orphaned":
      return;
  }
}

/** Throws E_AUTOPROV unless an instance that the auto-provisioner wants to go may go (specification 4.9). */
export async function checkDeletion(
  tx: ObjectTx,
  cache: RegionCache,
  app: App,
  instance: AppInst,
  intent: AutoProvIntent,
): Promise<void> {
  await holdInstances(tx, cache, app);
  const cloudletKey = cloudletOf(instance);
  switch (intent.reason) {
    case "demand":
      if (!isOnline(cache, instance)) return;
      for (const policy of policiesAt(cache, app, cloudletKey)) {
        if (count(cache, app, policy).online > policy.minActiveInstances) continue;
        throw failedPrecondition(
          `Policy ${policy.key.name} wants ${policy.minActiveInstances} instances, and no more are there`,
        );
      }
      return;
    case "minmax": {
      const policy = requirePolicy(cache, app, intent);
      if (count(cache, app, policy).total > policy.maxInstances) return;
      throw failedPrecondition(`Policy ${policy.key.name} has no more than ${policy.maxInstances} instances`);
    }
    case "orphaned": {
      const policy = policiesAt(cache, app, cloudletKey)[0];
      if (policy) throw failedPrecondition(`Policy ${policy.key.name} of the app has cloudlet ${cloudletKey}`);
      return;
    }
  }
}

/** Lets no instance of the app come or go beside the transaction: what is counted must hold when it is written. */
async function holdInstances(tx: ObjectTx, cache: RegionCache, { key }: App): Promise<void> {
  await cache.reached(await tx.hold(AppInstKind, `{"app_key":${AppKind.keyString(key)},`));
}

/** The app's policies that have a cloudlet. */
function policiesAt(cache: RegionCache, app: App, cloudletKey: string): AutoProvPolicy[] {
  return app.autoProvPolicies.flatMap((name) => policyNamed(cache, app, name) ?? [])
    .filter((policy) => cloudletsOf(policy).has(cloudletKey));
}

function policyNamed(cache: RegionCache, { key: { organization } }: App, name: string): AutoProvPolicy | undefined {
  return cache.get(AutoProvPolicyKind, AutoProvPolicyKind.keyString({ organization, name }));
}

function requirePolicy(cache: RegionCache, app: App, { policy: name }: AutoProvIntent): AutoProvPolicy {
  const policy = policyNamed(cache, app, name);
  if (policy === undefined || !app.autoProvPolicies.includes(name)) {
    throw failedPrecondition(`The app has no auto-provisioning policy ${name}`);
  }
  return policy;
}

function cloudletsOf({ cloudlets }: AutoProvPolicy): Set<string> {
  return new Set(cloudlets.map(({ key }) => CloudletKind.keyString(key)));
}

/** Counts the app's instances on a policy's cloudlets; those that are being deleted do not count. */
function count(cache: RegionCache, app: App, policy: AutoProvPolicy): Counting {
  const cloudlets = cloudletsOf(policy);
  const counted = instancesOf(cache, app).filter((instance) => cloudlets.has(cloudletOf(instance)));
  return { total: counted.length, online: counted.filter((instance) => isOnline(cache, instance)).length };
}

function instancesOf(cache: RegionCache, { key }: App): AppInst[] {
  return [...cache.referrersOfKind(AppKind, AppKind.keyString(key), AppInstKind)]
    .flatMap((instance) => cache.get(AppInstKind, instance) ?? [])
    .filter(({ state }) => !isDeleting(state));
}

/** Whether devices can be sent to the instance now or soon: one that is still being made counts. */
function isOnline(cache: RegionCache, instance: AppInst): boolean {
  const key = cloudletOf(instance);
  const normal = cache.get(CloudletKind, key)?.maintenanceState === dme.MaintenanceState.NORMAL_OPERATION;
  const info = cache.get(CloudletInfoKind, key);
  const { HEALTH_CHECK_OK, HEALTH_CHECK_UNKNOWN } = dme.HealthCheck;
  const well = instance.healthCheck === HEALTH_CHECK_OK || instance.healthCheck === HEALTH_CHECK_UNKNOWN;
  return normal && info !== undefined && info.state !== dme.CloudletState.CLOUDLET_STATE_OFFLINE && well;
}

function cloudletOf({ key }: AppInst): string {
  return CloudletKind.keyString(key.clusterInstKey.cloudletKey);
}
