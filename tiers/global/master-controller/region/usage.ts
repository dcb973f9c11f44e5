import { Organization, OrganizationApi, type Result } from "../../../../shared/schema/mod.ts";
import { callRegion, regionError } from "./call.ts";
import type { RegionDirectory } from "./directory.ts";

/** How long a region may take to say whether an organization is used there. */
const CHECK_TIMEOUT_MS = 30_000;

/** Where an organization is in use: a reason for each region that has objects of it, or that cannot be asked. */
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
    const { organizationInUse } = OrganizationApi.methods;
    const request = Organization.create({ name: organization });
    const answers = callRegion(channel, organizationInUse, request, { username: "", signal: bounded });
    for await (const { code, message } of answers as AsyncIterable<Result>) {
      return code === 0 ? undefined : `region ${region}: ${message}`;
    }
    return `region ${region}: it gave no answer`;
  } catch (error) {
    return `region ${region}: ${regionError(region, error).message}`;
  }
}
