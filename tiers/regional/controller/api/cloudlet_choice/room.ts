import { hasDynamicIp, type ResourceUsage, shortagesOf } from "../../rules/cloudlet_usage.ts";
import type { CloudletRefs } from "../../../../../shared/schema/mod.ts";
import type { ResourceNeeds } from "../../rules/resource_needs.ts";

/** What is short of a cloudlet for something, and how much room it leaves. */
export interface Room {
  /** Names of resources, without amounts: those would tell of others' use. */
  readonly short: readonly string[];
  /** Share of the scarcest resource that is left afterwards, 0 to 1; 1 where nothing is known to be bounded. */
  readonly room: number;
}

/** Adds up what things need and compares it with what a cloudlet has. */
export function roomFor(
  usage: readonly ResourceUsage[],
  takings: readonly { readonly needs: ResourceNeeds }[],
  refs: CloudletRefs,
  numDynamicIps: number,
): Room {
  const amounts: Record<string, number> = {};
  let dynamicIps = 0;
  for (const { needs } of takings) {
    dynamicIps += needs.dynamicIps;
    for (const [name, amount] of Object.entries(needs.amounts)) amounts[name] = (amounts[name] ?? 0) + amount;
  }
  const short = new Set(shortagesOf(usage, { amounts, flavors: {}, dynamicIps }).map(({ name }) => name));
  if (dynamicIps > 0 && !hasDynamicIp(refs, numDynamicIps)) short.add("dynamic addresses");
  let room = 1;
  for (const { name, used, infraUsed, infraMax, quota } of usage) {
    const max = quota > 0 ? quota : infraMax;
    if (max <= 0) continue;
    const taken = Math.max(used, infraUsed ?? 0) + (amounts[name] ?? 0);
    room = Math.min(room, Math.max(0, max - taken) / max);
  }
  return { short: [...short], room };
}
