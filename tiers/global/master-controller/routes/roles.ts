import { DatabaseError, type Queryable } from "../../../../shared/database/mod.ts";
import { findRole, policyRows, type Role, ROLES } from "../authz/policy.ts";
import { requireStrength } from "../auth/strength.ts";
import { badRequest, forbidden } from "../http/api_error.ts";
import { type JsonBody, readFields } from "../http/json_body.ts";
import { json, message } from "../http/reply.ts";
import type { AuthCall, Route } from "../http/route.ts";
import {
  addAssignment,
  type Assignment,
  listAssignments,
  requireAnotherManager,
  roleOf,
} from "../model/assignments.ts";
import { loadConfig } from "../model/config.ts";
import { findRecord } from "../model/record.ts";
import { ORGANIZATIONS, USERS } from "../model/types.ts";

/** Roles, and who holds them. */
export const roleRoutes: readonly Route[] = [
  { path: "role/show", emptyBody: true, reading: true, summary: "Names of the roles", handle: showRoles },
  { path: "role/perms/show", emptyBody: true, reading: true, summary: "What roles permit", handle: showPermissions },
  {
    path: "role/assignment/show",
    emptyBody: true,
    reading: true,
    summary: "One's own roles; all for administrators",
    handle: showOwnAssignments,
  },
  {
    path: "role/showuser",
    emptyBody: true,
    reading: true,
    summary: "Roles in organizations whose users the caller may see",
    handle: showUserAssignments,
  },
  { path: "role/adduser", summary: "Give a user a role in an organization", handle: addUser },
  { path: "role/removeuser", summary: "Take a user's role in an organization away", handle: removeUser },
];

function showRoles() {
  return Promise.resolve(json(ROLES.map((role) => role.name).sort()));
}

function showPermissions({ session, body }: AuthCall) {
  const filter = readFields(body, { role: "string", resource: "string", action: "string" });
  const rows = policyRows().filter((row) =>
    (session.grants.isAdmin || findRole(row.role)?.scope !== "admin") && matchesFilter(row, filter)
  );
  return Promise.resolve(json(rows));
}

async function showOwnAssignments({ core, session, body }: AuthCall) {
  const filter = readAssignmentFilter(body);
  const rows = await listAssignments(core.database);
  const seen = session.grants.isAdmin ? rows : rows.filter((row) => row.username === session.username);
  return json(seen.filter((row) => matchesFilter(row, filter)));
}

async function showUserAssignments({ core, session, body }: AuthCall) {
  const filter = readAssignmentFilter(body);
  const visible = session.grants.organizations("users", "view");
  const rows = await listAssignments(core.database);
  return json(rows.filter((row) => (visible === "all" || visible.has(row.org)) && matchesFilter(row, filter)));
}

function readAssignmentFilter(body: JsonBody): Partial<Assignment> {
  return readFields(body, { org: "string", username: "string", role: "string" });
}

function matchesFilter<T extends object>(row: T, filter: { readonly [K in keyof T]?: string }): boolean {
  return Object.entries(filter).every(([name, value]) => String(row[name as keyof T]) === value);
}

/** Permission is checked before anything is looked up, so that nobody can probe for users and organizations. */
async function addUser({ core, session, body, audit }: AuthCall) {
  const { username, role: roleName, org = "" } = readAssignmentFilter(body);
  audit.org = org;
  if (!username) throw badRequest("Username not specified");
  if (!roleName) throw badRequest("Role not specified");
  const organization = await canonicalOrganization(core.database, org);
  requireUsersManage(session.grants.allows(organization?.name ?? org, "users", "manage"), org);
  if (org.toLowerCase() === username.toLowerCase()) throw badRequest("Org name cannot be same as user name");
  const role = findRole(roleName);
  if (role === undefined || role.scope === "billing") throw badRequest("Role not found");
  requirePairing(role, org, organization);
  const config = await loadConfig(core.database);
  await core.database.transaction(async (transaction) => {
    const user = await findRecord(transaction, USERS, username, { lock: true });
    if (user === undefined) throw badRequest("Username not found");
    if (role.scope === "admin") {
      requireKnownStrength(Number(user.PassCrackTimeSec), config.AdminPasswordMinCrackTimeSec);
    }
    const assignment = { org: organization?.name ?? "", username: String(user.Name), role: role.name };
    const existing = await roleOf(transaction, assignment.org, assignment.username);
    if (existing !== undefined) throw badRequest(`User ${user.Name} already has a role ${existing}`);
    try {
      await addAssignment(transaction, assignment);
    } catch (error) {
      if (error instanceof DatabaseError && error.kind === "unique") throw badRequest("User already has a role");
      throw error;
    }
  });
  return message("Role added to user");
}

async function removeUser({ core, session, body, audit }: AuthCall) {
  const { username, role: roleName, org = "" } = readAssignmentFilter(body);
  audit.org = org;
  if (!username) throw badRequest("Username not specified");
  if (!roleName) throw badRequest("Role not specified");
  const organization = await canonicalOrganization(core.database, org);
  requireUsersManage(session.grants.allows(organization?.name ?? org, "users", "manage"), org);
  await core.database.transaction(async (transaction) => {
    const user = await findRecord(transaction, USERS, username);
    if (user === undefined) throw badRequest("Username not found");
    const assignment = { org: organization?.name ?? "", username: String(user.Name), role: roleName };
    if (await roleOf(transaction, assignment.org, assignment.username) !== roleName) {
      throw badRequest(`User ${user.Name} does not have role ${roleName}`);
    }
    if (assignment.org === "" && assignment.username === core.settings.superuser) {
      throw badRequest("Cannot remove role of superuser");
    }
    await requireAnotherManager(transaction, assignment);
    await transaction.execute`delete from role_assignments
      where org = ${assignment.org} and username = ${assignment.username}`;
  });
  return message("Role removed from user");
}

interface FoundOrganization {
  readonly name: string;
  readonly type: string;
}

async function canonicalOrganization(database: Queryable, org: string): Promise<FoundOrganization | undefined> {
  const row = org === "" ? undefined : await findRecord(database, ORGANIZATIONS, org);
  return row && { name: String(row.Name), type: String(row.Type) };
}

function requireUsersManage(allowed: boolean, org: string): void {
  if (allowed) return;
  throw org === "" ? badRequest("Organization not specified or no permissions") : forbidden();
}

function requirePairing(role: Role, org: string, organization: FoundOrganization | undefined): void {
  if (role.scope === "admin") {
    if (org !== "") throw badRequest("Admin roles cannot be associated with an org, please specify the empty org");
    return;
  }
  if (org === "") throw badRequest("Org name must be specified for the specified role");
  if (organization === undefined) throw badRequest("Organization not found");
  if (role.scope !== organization.type) {
    throw badRequest(`Can only assign ${organization.type} roles to ${organization.type} organization`);
  }
}

function requireKnownStrength(crackTime: number, required: number): void {
  if (crackTime === 0) {
    throw badRequest("Target user password strength not verified, please have user log in to verify password strength");
  }
  requireStrength(crackTime, required);
}
