import {
  findKind,
  kinds,
  type MethodDefinition,
  type ObjectKind,
  regionServices,
} from "../../../../shared/schema/mod.ts";
import { callRegion, regionError } from "./call.ts";
import type { RegionDirectory } from "./directory.ts";

/** How long a region may take to say whether an organization is used there. */
const CHECK_TIMEOUT_MS = 30_000;

/**
 * Where an organization is in use: a reason for each region that has objects of it, or that cannot be asked.
 * All kinds with an owner are asked for, so a new kind needs no change here.
 */
export async function findUses(regions: RegionDirectory, organization: string, signal: AbortSignal): Promise<string[]> {
  const reasons = await Promise.all(regions.names().map((region) => usesIn(regions, region, organization, signal)));
  return reasons.filter((reason) => reason !== undefined);
}

async function usesIn(
  regions: RegionDirectory,
  region: string,
  organization: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)]);
  try {
    const channel = await regions.channel(region);
    const used: string[] = [];
    for (const { kind, show } of ownedKinds()) {
      const caller = { username: "", signal: bounded };
      for await (const object of callRegion(channel, show, show.input.create(), caller)) {
        if (kind.owner(object).toLowerCase() !== organization.toLowerCase()) continue;
        used.push(kind.noun);
        break;
      }
    }
    return used.length === 0 ? undefined : `region ${region}: used by ${used.join(", ")}`;
  } catch (error) {
    return `region ${region}: ${regionError(region, error).message}`;
  }
}

/** Kinds that organizations own and whose objects can be listed. */
function* ownedKinds(): Iterable<{ kind: ObjectKind; show: MethodDefinition }> {
  const shows = new Map<string, MethodDefinition>();
  for (const service of regionServices) {
    for (const method of Object.values(service.methods)) shows.set(method.name, method);
  }
  for (const each of kinds) {
    const kind = findKind(each.kind)!;
    const show = shows.get(`Show${kind.kind}`);
    if (kind.ownerType !== "" && show?.responseStream && show.output === kind.message) yield { kind, show };
  }
}
