import { type AppKey, type CloudletKey, CloudletPool, CloudletPoolApi } from "../../../../shared/schema/mod.ts";
import { badRequest, forbidden } from "../http/api_error.ts";
import type { AuthCall } from "../http/route.ts";
import { callRegion, regionError } from "../region/call.ts";

/** Organizations that a question about a developer's objects names. */
export interface Asked {
  readonly region: string;
  /** Organization of the app, or of the cluster. */
  readonly developer: string;
  readonly operator: string;
  readonly cloudlet: string;
  /** `App` or `Cluster`, for messages. */
  readonly what: "App" | "Cluster";
  readonly resource: "appanalytics" | "clusteranalytics";
}

/**
 * Who may see a developer's metrics (mc spec 1.9): the developer's own people; and operators, of the cloudlets that are
 * members of their pools.
 *
 * @returns cloudlets to which the answer is confined; undefined: to none
 * @throws {ApiError} 403, or 400 when the question must say more
 */
export async function authorizeDeveloperMetrics(call: AuthCall, asked: Asked): Promise<readonly string[] | undefined> {
  const { grants } = call.session;
  const { developer, operator, what, resource } = asked;
  if (grants.allows("", resource, "view")) return undefined;
  if (developer !== "") {
    if (grants.allows(developer, resource, "view")) return undefined;
    // An operator may narrow the question to one developer.
    if (operator === "" || !grants.allows(operator, "cloudletanalytics", "view")) throw forbidden();
  }
  if (operator === "") {
    const hint = grants.belongsTo("operator")
      ? "Operators please specify the Cloudlet organization"
      : `Developers please specify the ${what} organization`;
    throw badRequest(`Must provide either ${what} organization or Cloudlet organization. ${hint}`);
  }
  if (!grants.allows(operator, "cloudletanalytics", "view")) throw forbidden();
  return await pooled(call, asked);
}

/** {@linkcode authorizeDeveloperMetrics} for an app or an instance of it, on the cloudlet named, if any. */
export function authorizeAppMetrics(
  call: AuthCall,
  region: string,
  app: AppKey,
  cloudlet: CloudletKey,
): Promise<readonly string[] | undefined> {
  return authorizeDeveloperMetrics(call, {
    region,
    developer: app.organization,
    operator: cloudlet.organization,
    cloudlet: cloudlet.name,
    what: "App",
    resource: "appanalytics",
  });
}

async function pooled(call: AuthCall, { region, operator, cloudlet }: Asked): Promise<string[]> {
  const channel = await call.core.regions.channel(region);
  const members = new Set<string>();
  const filter = CloudletPool.create({ key: { organization: operator } });
  const caller = { username: call.session.username, signal: call.signal };
  try {
    for await (const pool of callRegion(channel, CloudletPoolApi.methods.showCloudletPool, filter, caller)) {
      for (const { organization, name } of pool.cloudlets) if (organization === operator) members.add(name);
    }
  } catch (error) {
    throw regionError(region, error);
  }
  if (members.size === 0) throw badRequest("No non-empty CloudletPools to show");
  if (cloudlet === "") return [...members];
  if (!members.has(cloudlet)) throw badRequest("Operators must specify a cloudlet in a cloudletPool");
  return [cloudlet];
}

/** Who may see a cloudlet's metrics: its operator's people. @throws {ApiError} 403, or 400 without an organization */
export function authorizeCloudletMetrics({ session }: AuthCall, organization: string): void {
  if (session.grants.allows("", "cloudletanalytics", "view")) return;
  if (organization === "") throw badRequest("Cloudlet details must be present");
  if (!session.grants.allows(organization, "cloudletanalytics", "view")) throw forbidden();
}
