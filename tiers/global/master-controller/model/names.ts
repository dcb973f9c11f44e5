import { DatabaseError, type Queryable } from "../../../../shared/database/mod.ts";
import { badRequest } from "../http/api_error.ts";

/** Longest name, so that `repo-<name>` stays within the 64 characters that registries take (mc spec 2.2). */
const MAX_NAME_LENGTH = 59;
const REFUSED_ENDINGS = [".git", ".atom", "-cache"];

/** What has a name of its own in the platform. */
export type PrincipalKind = "user" | "organization";

/** Checks the name of a user or organization. @throws {ApiError} 400 */
export function requireValidName(kind: "Username" | "Organization name", name: string): void {
  if (/^[.-]/.test(name)) throw badRequest(`${kind} cannot start with '${name[0]}'`);
  if (name.endsWith(".")) throw badRequest(`${kind} cannot end with '.'`);
  for (const part of ["::", "&"]) {
    if (name.includes(part)) throw badRequest(`${kind} cannot contain '${part}'`);
  }
  for (const ending of REFUSED_ENDINGS) {
    if (name.toLowerCase().endsWith(ending)) throw badRequest(`${kind} cannot end with '${ending}'`);
  }
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) {
    throw badRequest(
      `Invalid characters in ${kind.toLowerCase()} ${JSON.stringify(name)}, allowed are A-Z a-z 0-9 _ . -`,
    );
  }
  if (name.length > MAX_NAME_LENGTH) {
    throw badRequest(`${kind} cannot be longer than ${MAX_NAME_LENGTH} characters, ${name} has ${name.length}`);
  }
}

/** Checks an email address. The original's looser pattern let blanks and lists through. @throws {ApiError} 400 */
export function requireValidEmail(email: string): void {
  if (email.length > 254 || !/^[^\s@,;<>"]+@[^\s@,;<>"]+\.[^\s@,;<>".]+$/.test(email)) {
    throw badRequest("Invalid email address");
  }
}

/**
 * Claims a name for a user or organization, in the caller's transaction; users and organizations share their names.
 * @throws {ApiError} 400 when it is taken
 */
export async function claimName(transaction: Queryable, kind: PrincipalKind, name: string): Promise<void> {
  const [taken] = await transaction.query<{ kind: PrincipalKind }>`
    select kind from principal_names where name_lower = lower(${name})`;
  if (taken !== undefined) throw nameTaken(kind, taken.kind, name);
  try {
    await transaction.execute`insert into principal_names (name_lower, kind) values (lower(${name}), ${kind})`;
  } catch (error) {
    // Two came at the same moment.
    if (error instanceof DatabaseError && error.kind === "unique") throw nameTaken(kind, kind, name);
    throw error;
  }
}

/** Gives a name back, in the caller's transaction. */
export async function releaseName(transaction: Queryable, name: string): Promise<void> {
  await transaction.execute`delete from principal_names where name_lower = lower(${name})`;
}

function nameTaken(wanted: PrincipalKind, taken: PrincipalKind, name: string): Error {
  if (wanted === taken) {
    const noun = wanted === "user" ? "User" : "Organization";
    return badRequest(`${noun} with name ${name} (case-insensitive) already exists`);
  }
  return badRequest(
    wanted === "user" ? "user name cannot be same as org name" : "org name cannot be same as user name",
  );
}
