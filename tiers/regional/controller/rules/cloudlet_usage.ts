import { type QuotaResource, quotaResources } from "../../../../shared/platform_types/mod.ts";
import type { CloudletInfo, CloudletRefs, PlatformType, ResourceQuota } from "../../../../shared/schema/mod.ts";
import { countedHolders, type Holder, takenOf } from "./cloudlet_refs.ts";
import { type Amounts, NODES_PER_CLUSTER, type ResourceNeeds } from "./resource_needs.ts";

/** Percentage above which operators are warned when neither quota nor cloudlet says. */
export const DEFAULT_ALERT_THRESHOLD = 80;

/** What of a cloudlet bounds its use. */
export interface UsageBounds {
  readonly type: PlatformType;
  readonly quotas: readonly ResourceQuota[];
  /** Percent; 0: {@linkcode DEFAULT_ALERT_THRESHOLD}. */
  readonly defaultThreshold: number;
  readonly snapshot: CloudletInfo["resourcesSnapshot"];
  /** What the platform's own machines take. */
  readonly platform: Amounts;
}

/** One resource of a cloudlet, as the controller counts it and as the infrastructure does. */
export interface ResourceUsage extends QuotaResource {
  /** In use by everything that the controller knows of. */
  readonly used: number;
  /** In use in the infrastructure, with what is on its way there; undefined: the site's word cannot be taken. */
  readonly infraUsed: number | undefined;
  /** What the infrastructure has; 0: unknown. */
  readonly infraMax: number;
  /** What the operator lends; 0: no quota. */
  readonly quota: number;
  /** Percentage above which the operator is warned. */
  readonly threshold: number;
}

/** All resources of a cloudlet, those of every platform first. */
export function usageOf(refs: CloudletRefs, bounds: UsageBounds): ResourceUsage[] {
  const { snapshot, quotas, platform } = bounds;
  const known = quotaResources(bounds.type);
  const more = (snapshot?.info ?? []).filter(({ name }) => !known.some((resource) => resource.name === name));
  const pending = pendingAmounts(refs, snapshot);
  return [...known, ...more].map(({ name, description, units }) => {
    const info = snapshot?.info.find((resource) => resource.name === name);
    const quota = quotas.find((each) => each.name === name);
    return {
      name,
      description,
      units,
      used: takenOf(refs, name) + (platform[name] ?? 0),
      infraUsed: info === undefined || pending === undefined ? undefined : info.value + (pending[name] ?? 0),
      infraMax: info?.infraMaxValue ?? 0,
      quota: quota?.value ?? 0,
      threshold: quota?.alertThreshold || bounds.defaultThreshold || DEFAULT_ALERT_THRESHOLD,
    };
  });
}

/**
 * What is not in the site's snapshot yet; undefined when the snapshot counts something that the controller does not know,
 * so that nobody can say what its sums are made of.
 */
function pendingAmounts(refs: CloudletRefs, snapshot: UsageBounds["snapshot"]): Amounts | undefined {
  if (snapshot === undefined) return undefined;
  const counted = countedHolders(snapshot);
  for (const holder of counted) if (refs.held[holder] === undefined) return undefined;
  const pending: Record<string, number> = {};
  for (const [holder, { amounts }] of Object.entries(refs.held)) {
    if (counted.has(holder as Holder)) continue;
    for (const [name, amount] of Object.entries(amounts)) pending[name] = (pending[name] ?? 0) + amount;
  }
  return pending;
}

/** A resource of which there is not enough. */
export interface Shortage {
  readonly name: string;
  readonly units: string;
  readonly required: number;
  readonly available: number;
  readonly max: number;
  /** The infrastructure's own limit, not that of the controller's books. */
  readonly infra: boolean;
}

/**
 * What of `needs` a cloudlet cannot give (specification 4.6).
 *
 * @param before what the same holder has already, when it grows
 */
export function shortagesOf(
  usage: readonly ResourceUsage[],
  needs: ResourceNeeds,
  before: Amounts = {},
): Shortage[] {
  const shortages: Shortage[] = [];
  for (const { name, units, used, infraUsed, infraMax, quota } of usage) {
    const each = name === NODES_PER_CLUSTER;
    const required = (needs.amounts[name] ?? 0) - (each ? 0 : before[name] ?? 0);
    if (required <= 0) continue;
    const max = quota > 0 ? quota : infraMax;
    const check = (limit: number, taken: number, infra: boolean) => {
      const available = Math.max(0, limit - (each ? 0 : taken));
      if (limit > 0 && required > available) shortages.push({ name, units, required, available, max: limit, infra });
    };
    check(max, used, false);
    if (infraUsed !== undefined) check(infraMax, infraUsed, true);
  }
  return shortages;
}

/** What operators should know of a cloudlet's resources, none of which stops anybody (specification 4.6). */
export function warningsOf(usage: readonly ResourceUsage[]): string[] {
  const warnings: string[] = [];
  for (const { name, units, used, infraUsed, infraMax, quota, threshold } of usage) {
    const amount = (value: number) => `${value}${units === "" ? "" : ` ${units}`}`;
    if (quota > infraMax && infraMax > 0) {
      warnings.push(`Quota of ${name} is ${amount(quota)}, the infrastructure has ${amount(infraMax)}`);
    }
    const max = quota > 0 ? quota : infraMax;
    if (max > 0 && used > max) warnings.push(`More ${name} is in use than the ${amount(max)} that there are`);
    else if (max > 0 && used * 100 > max * threshold) {
      warnings.push(`More than ${threshold}% of ${amount(max)} ${name} is in use`);
    }
    if (infraMax > 0 && infraUsed !== undefined && infraUsed * 100 > infraMax * threshold) {
      warnings.push(`[Infra] More than ${threshold}% of ${amount(infraMax)} ${name} is in use`);
    }
  }
  return warnings;
}

/** Whether one more load balancer can have an address of the cloudlet's pool: the last is the shared one's (4.7). */
export function hasDynamicIp(refs: CloudletRefs, numDynamicIps: number): boolean {
  return refs.usedDynamicIps + 1 < numDynamicIps;
}

/** What is short, for people; the controller's own books speak first. */
export function shortageText(shortages: readonly Shortage[]): string {
  const infra = shortages.every((shortage) => shortage.infra);
  const lines = shortages.filter((shortage) => shortage.infra === infra).map(({ name, units, ...amounts }) => {
    const unit = units === "" ? "" : ` ${units}`;
    const { required, available, max } = amounts;
    return `${name}: ${required}${unit} required, ${available}${unit} of ${max}${unit} available`;
  });
  return `${infra ? "[Infra] " : ""}Not enough resources available: ${lines.join("; ")}`;
}
