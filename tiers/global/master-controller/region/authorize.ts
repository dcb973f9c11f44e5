import type { Queryable } from "../../../../shared/database/mod.ts";
import { type FieldDescriptor, getPath, type MessageDescriptor, setPath } from "../../../../shared/schema/mod.ts";
import type { Session } from "../auth/session.ts";
import type { Action } from "../authz/policy.ts";
import { ApiError, badRequest, forbidden } from "../http/api_error.ts";
import { findRecord, type RecordValues } from "../model/record.ts";
import { ORGANIZATIONS } from "../model/types.ts";
import type { RegionMethod } from "./methods.ts";

/** What the caller of a show may see. */
export interface Visibility {
  /** Objects of these organizations in full; `all` for administrators. */
  readonly organizations: "all" | ReadonlySet<string>;
}

/**
 * Authorizes a call that concerns one organization, and puts the organization's stored spelling into the request.
 * @returns the organization's row, when it exists
 * @throws {ApiError} 403, and for administrators 400 when the organization does not fit
 */
export async function authorizeChange(
  database: Queryable,
  session: Session,
  target: RegionMethod,
  request: object,
): Promise<RecordValues | undefined> {
  const { rules } = target;
  if (rules.open) return undefined;
  const action = actionOf(target);
  if (rules.org === "") {
    if (!session.grants.allows("", rules.resource, action)) throw forbidden();
    return undefined;
  }
  const given = String(getPath(request, rules.org) ?? "");
  const row = given === "" ? undefined : await findRecord(database, ORGANIZATIONS, given);
  const name = String(row?.Name ?? given);
  if (!session.grants.allows(name, rules.resource, action)) throw forbidden();
  if (row !== undefined && name !== given) setPath(request, rules.org, name);
  if (rules.requiresOrg && (name !== "" || isOwned(target))) requireFit(target, name, row);
  return row;
}

/**
 * Decides what of a show the caller may see: with an organization in the filter that one, otherwise all in which the
 * caller may view.
 * @throws {ApiError} 403 when there is none
 */
export function authorizeShow(session: Session, target: RegionMethod, request: object): Visibility {
  const { rules } = target;
  if (rules.open) return { organizations: "all" };
  const organizations = session.grants.organizations(rules.resource, "view");
  if (organizations === "all") return { organizations };
  const wanted = rules.org === "" ? "" : String(getPath(request, rules.org) ?? "");
  if (wanted !== "" ? !organizations.has(wanted) : organizations.size === 0) throw forbidden();
  return { organizations };
}

/**
 * Going without the site, or against it, leaves things behind that only administrators can put right (controller spec 5.2).
 * @throws {ApiError} 403
 */
export function requireAdminToOverride(session: Session, request: object): void {
  const { crmOverride } = request as { crmOverride?: number };
  if (crmOverride && !session.grants.isAdmin) throw new ApiError(403, "Only administrators may give crm_override");
}

/** Whether objects always have an owner; administrators may leave it out of others, such as drivers for all operators. */
function isOwned({ method, rules }: RegionMethod): boolean {
  let descriptor: MessageDescriptor | undefined = method.input.descriptor;
  let required = true;
  for (const part of rules.org.split(".")) {
    const field: FieldDescriptor | undefined = descriptor?.field(part);
    required = field?.rules.required ?? true;
    descriptor = field?.message?.descriptor;
  }
  return required;
}

/** The organization must exist, have the type that owns such objects, and not be on its way out (mc spec 4.1). */
function requireFit(target: RegionMethod, name: string, row: RecordValues | undefined): void {
  if (row === undefined) throw badRequest(`Org ${name} not found`);
  if (row.DeleteInProgress === true) throw badRequest(`Org ${name} delete in progress`);
  const type = target.kind?.ownerType ?? "";
  if (type !== "" && row.Type !== type) throw badRequest(`Operation only allowed for orgs of type ${type}`);
}

function actionOf(target: RegionMethod): Action {
  return target.rules.action === "VIEW" ? "view" : "manage";
}
