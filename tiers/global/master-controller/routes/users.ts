import { sql, type SqlFragment } from "../../../../shared/database/mod.ts";
import { checkPassword } from "../auth/password.ts";
import { issueToken } from "../auth/session.ts";
import { badRequest, forbidden } from "../http/api_error.ts";
import { type JsonBody, readFields } from "../http/json_body.ts";
import { json, message } from "../http/reply.ts";
import type { AuthCall, Route } from "../http/route.ts";
import { type Assignment, requireAnotherManager } from "../model/assignments.ts";
import { loadConfig } from "../model/config.ts";
import { releaseName, requireValidEmail } from "../model/names.ts";
import {
  findRecord,
  readFilter,
  readRecord,
  type RecordValues,
  requireMutable,
  selectRecords,
  updateRecord,
} from "../model/record.ts";
import { USERS } from "../model/types.ts";
import { explainTakenEmail, OWN_FIELDS, preparePassword, RESTRICTED_FIELDS, userJson } from "../model/users.ts";
import { withoutExtras } from "./accounts.ts";

/** Accounts: one's own, and those of others for who may see or manage them. */
export const userRoutes: readonly Route[] = [
  { path: "user/current", emptyBody: true, reading: true, summary: "One's own account", handle: currentUser },
  { path: "user/show", emptyBody: true, reading: true, summary: "Accounts that the caller may see", handle: showUsers },
  { path: "user/update", summary: "Change one's own account", handle: updateOwn },
  { path: "user/delete", summary: "Delete an account", handle: deleteUser },
  { path: "user/newpass", summary: "Change one's own password; ends all other sessions", handle: changePassword },
  { path: "restricted/user/update", summary: "Change any account (administrators)", handle: updateRestricted },
];

/** Fields that only the account's owner and administrators see. */
const PRIVATE_FIELDS = {
  Email: "",
  EmailVerified: false,
  Locked: false,
  PassCrackTimeSec: 0,
  EnableTOTP: false,
  Metadata: "",
  CreatedAt: "0001-01-01T00:00:00Z",
  UpdatedAt: "0001-01-01T00:00:00Z",
  LastLogin: "0001-01-01T00:00:00Z",
  LastFailedLogin: "0001-01-01T00:00:00Z",
  FailedLogins: 0,
};

async function currentUser({ core, session }: AuthCall) {
  return json(userJson((await findRecord(core.database, USERS, session.username))!));
}

async function showUsers({ core, session, body }: AuthCall) {
  const { own, rest } = splitBody(withoutExtras(body), ["org", "role"]);
  const { org, role } = readFields(own, { org: "string", role: "string" });
  const visible = session.grants.organizations("users", "view");
  if (org !== undefined && visible !== "all" && !visible.has(org)) throw forbidden();
  const conditions: SqlFragment[] = [];
  if (visible !== "all" || org !== undefined || role !== undefined) {
    const within = visible === "all" ? sql`` : sql`and r.org = any(${[...visible]}::text[])`;
    const inOrg = org === undefined ? sql`` : sql`and r.org = ${org}`;
    const withRole = role === undefined ? sql`` : sql`and r.role = ${role}`;
    conditions.push(
      sql`exists (select 1 from role_assignments r where r.username = name ${within} ${inOrg} ${withRole})`,
    );
  }
  const rows = await selectRecords(core.database, USERS, readFilter(USERS, rest), conditions);
  return json(rows.map((row) => {
    const open = visible === "all" || row.Name === session.username;
    return open ? userJson(row) : { ...userJson(row), ...PRIVATE_FIELDS };
  }));
}

async function updateOwn({ core, session, body }: AuthCall) {
  const values = readRecord(USERS, withoutExtras(body));
  const skipsVerification = core.settings.skipVerifyEmail || (await loadConfig(core.database)).SkipVerifyEmail;
  await core.database.transaction(async (transaction) => {
    const row = (await findRecord(transaction, USERS, session.username, { lock: true }))!;
    const changes = { ...requireMutable(values, row, [...OWN_FIELDS, "Email"]) };
    if (changes.Email !== undefined && changes.Email !== row.Email) {
      requireValidEmail(String(changes.Email));
      if (!skipsVerification) throw badRequest("Cannot change Email, as no verification mail can be sent");
      changes.EmailVerified = false;
    }
    await explainTakenEmail(String(changes.Email), () => updateRecord(transaction, USERS, session.username, changes));
  });
  return json({ Message: "User updated", TOTPSharedKey: "", TOTPQRImage: "" });
}

async function deleteUser({ core, session, body }: AuthCall) {
  const { name } = readFields(body, { name: "string" });
  if (!name) throw badRequest("User Name not specified");
  const self = name.toLowerCase() === session.username.toLowerCase();
  if (!self && !session.grants.allows("", "users", "manage")) throw forbidden();
  if (name.toLowerCase() === core.settings.superuser.toLowerCase()) throw badRequest("Cannot delete superuser");
  await core.database.transaction(async (transaction) => {
    const row = await findRecord(transaction, USERS, name, { lock: true });
    if (row === undefined) throw badRequest("User not found");
    const roles = await transaction.query<Assignment>`
      select org, username, role from role_assignments where username = ${row.Name as string} order by org`;
    for (const role of roles) await requireAnotherManager(transaction, role);
    await transaction.execute`delete from users where name = ${row.Name as string}`;
    await releaseName(transaction, String(row.Name));
  });
  return message("user deleted");
}

async function changePassword({ core, session, body }: AuthCall) {
  const { currentpassword, password } = readFields(body, { currentpassword: "string", password: "string" });
  if (!currentpassword) throw badRequest("Please specify current password");
  if (!password) throw badRequest("Please specify new password");
  const row = (await findRecord(core.database, USERS, session.username))!;
  const stored = { hash: String(row.Passhash), salt: String(row.Salt), iterations: Number(row.Iter) };
  if (!await checkPassword(currentpassword, stored)) {
    await core.clock.sleep(core.settings.failedLoginDelayMs);
    throw badRequest("Invalid current password");
  }
  const config = await loadConfig(core.database);
  const fresh = await preparePassword(core, config, password, session.grants.isAdmin);
  const [changed] = await core.database.query<{ token_epoch: number }>`update users
    set passhash = ${fresh.passhash}, salt = ${fresh.salt}, iter = ${fresh.iter},
      pass_crack_time_sec = ${fresh.crackTime}, token_epoch = token_epoch + 1, updated_at = now()
    where name = ${session.username} and passhash = ${stored.hash} returning token_epoch`;
  if (changed === undefined) throw badRequest("Invalid current password");
  const subject = { name: session.username, email: session.email, epoch: changed.token_epoch };
  const life = Math.floor(config.UserLoginTokenValidDuration / 1e9);
  const { token, cookie } = await issueToken(core, subject, life, session.claims.firstiat);
  return json({ message: "password updated", token }, cookie);
}

async function updateRestricted({ core, session, body }: AuthCall) {
  if (!session.grants.allows("", "users", "manage")) throw forbidden();
  const { Name, Email, ...values } = readRecord(USERS, withoutExtras(body));
  if (!Name && !Email) throw badRequest("Either Name or Email must be specified");
  await core.database.transaction(async (transaction) => {
    const row = await lockByNameOrEmail(transaction, Name, Email);
    if (row === undefined) throw badRequest("User not found");
    const changes = requireMutable(values, row, RESTRICTED_FIELDS);
    await updateRecord(transaction, USERS, String(row.Name), changes);
    if (changes.Locked === true) {
      await transaction.execute`update users set token_epoch = token_epoch + 1 where name = ${row.Name as string}`;
    }
  });
  return { kind: "empty" } as const;
}

async function lockByNameOrEmail(
  transaction: Parameters<typeof findRecord>[0],
  name: RecordValues[string] | undefined,
  email: RecordValues[string] | undefined,
): Promise<RecordValues | undefined> {
  if (name) return await findRecord(transaction, USERS, String(name), { lock: true });
  const [row] = await selectRecords(transaction, USERS, { Email: email! });
  return row === undefined ? undefined : await findRecord(transaction, USERS, String(row.Name), { lock: true });
}

/** Divides a body into the keys named (without regard to case) and the rest. */
export function splitBody(body: JsonBody, names: readonly string[]): { own: JsonBody; rest: JsonBody } {
  const own: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body.value)) {
    (names.includes(key.toLowerCase()) ? own : rest)[key] = value;
  }
  return { own: { value: own, offsetOf: body.offsetOf }, rest: { value: rest, offsetOf: body.offsetOf } };
}
