import type { Queryable } from "../../../../shared/database/mod.ts";
import { findRole } from "../authz/policy.ts";
import { badRequest } from "../http/api_error.ts";

/** Who holds which role where. */
export interface Assignment {
  readonly org: string;
  readonly username: string;
  readonly role: string;
}

/** All assignments, sorted. */
export async function listAssignments(database: Queryable): Promise<Assignment[]> {
  return await database.query<Assignment>`select org, username, role from role_assignments order by org, username`;
}

/** The role of a user in an organization; undefined when there is none. */
export async function roleOf(database: Queryable, org: string, username: string): Promise<string | undefined> {
  const [row] = await database.query<{ role: string }>`
    select role from role_assignments where org = ${org} and username = ${username}`;
  return row?.role;
}

/** Gives a role. @throws {DatabaseError} of kind `unique` when the user has one there */
export async function addAssignment(database: Queryable, assignment: Assignment): Promise<void> {
  const { org, username, role } = assignment;
  await database.execute`insert into role_assignments (org, username, role) values (${org}, ${username}, ${role})`;
}

/**
 * Checks that a user is not the only manager of an organization (or of the platform), in the caller's transaction.
 * @throws {ApiError} 400
 */
export async function requireAnotherManager(transaction: Queryable, assignment: Assignment): Promise<void> {
  if (findRole(assignment.role) === undefined || !assignment.role.endsWith("Manager")) return;
  // Locks all of them, so that two managers cannot remove each other at the same moment.
  const managers = await transaction.query<{ username: string }>`select username from role_assignments
    where org = ${assignment.org} and role = ${assignment.role} order by username for update`;
  if (managers.some(({ username }) => username !== assignment.username)) return;
  const where = assignment.org === "" ? "the platform" : `organization ${assignment.org}`;
  throw badRequest(`Cannot remove ${assignment.username}, the last remaining manager of ${where}`);
}
