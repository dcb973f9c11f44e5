import { getPath, setPath, type TrustPolicyException } from "../../../../shared/schema/mod.ts";
import { badRequest, forbidden } from "../http/api_error.ts";
import { findRecord } from "../model/record.ts";
import { ORGANIZATIONS } from "../model/types.ts";
import type { HookCall } from "./hooks.ts";
import type { Visibility } from "./authorize.ts";

const DEVELOPER = "key.app_key.organization";
const OPERATOR = "key.cloudlet_pool_key.organization";

/** Number of the field that the operator decides by. */
const STATE = "3";
/** Number of the key, which a mask may name without changing anything. */
const KEY = "2";

/**
 * The developer of the app may change all but the state, the operator of the pool nothing but the state, and whoever is
 * both, or an administrator, everything (mc spec 4.5).
 */
export async function authorizeException(call: HookCall, request: object): Promise<void> {
  const developer = await mayChange(call, request, DEVELOPER, "apps");
  const operator = await mayChange(call, request, OPERATOR, "cloudletpools");
  if (!developer && !operator) throw forbidden();
  const named = (request as TrustPolicyException).fields.map((path) => path.split(".")[0]!);
  if (!operator && named.includes(STATE)) {
    throw badRequest("The developer is not allowed to update state: the operator of the pool decides");
  }
  if (!developer && named.some((field) => field !== STATE && field !== KEY)) {
    throw badRequest("The operator may update only state field: the rest is the developer's");
  }
}

async function mayChange(
  { core, session }: HookCall,
  request: object,
  path: string,
  resource: string,
): Promise<boolean> {
  const given = String(getPath(request, path) ?? "");
  const row = given === "" ? undefined : await findRecord(core.database, ORGANIZATIONS, given);
  const name = String(row?.Name ?? given);
  if (!session.grants.allows(name, resource, "manage")) return false;
  if (name !== given) setPath(request, path, name);
  return true;
}

/** Developers see exceptions of their apps; {@linkcode exceptionOfPool} adds those that operators are to decide. */
export function exceptionVisibility({ session }: HookCall, request: object): Visibility {
  const organizations = session.grants.organizations("apps", "view");
  const pools = session.grants.organizations("cloudletpools", "view");
  if (organizations === "all") return { organizations };
  const wanted = String(getPath(request, DEVELOPER) ?? "");
  const sees = wanted === "" ? organizations.size > 0 : organizations.has(wanted);
  if (!sees && pools !== "all" && pools.size === 0) throw forbidden();
  return { organizations };
}

/** An exception of somebody else's app, for the operator of its pool. */
export function exceptionOfPool({ session }: HookCall, object: object): object | undefined {
  return session.grants.allows(String(getPath(object, OPERATOR) ?? ""), "cloudletpools", "view") ? object : undefined;
}
