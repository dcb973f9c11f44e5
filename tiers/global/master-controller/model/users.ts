import type { Queryable } from "../../../../shared/database/mod.ts";
import { DatabaseError } from "../../../../shared/database/mod.ts";
import { hashPassword, requirePasswordLength } from "../auth/password.ts";
import { crackTimeSeconds, requireStrength } from "../auth/strength.ts";
import type { Core } from "../core.ts";
import { badRequest } from "../http/api_error.ts";
import type { Config } from "./config.ts";
import { claimName } from "./names.ts";
import { insertRecord, type RecordValues, toRecordJson } from "./record.ts";
import { USERS } from "./types.ts";

/** Fields of an account that its owner may change. */
export const OWN_FIELDS = ["FamilyName", "GivenName", "Picture", "Nickname", "Metadata"] as const;

/** Fields of an account that an administrator may change. */
export const RESTRICTED_FIELDS = [...OWN_FIELDS, "Locked", "EmailVerified", "FailedLogins"] as const;

/** An account as the API shows it, with the fields of the second factor, which nobody has yet. */
export function userJson(row: RecordValues): Record<string, unknown> {
  return { ...toRecordJson(USERS, row), EnableTOTP: false, TOTPSharedKey: "" };
}

/** What is stored of a password. */
export interface PasswordColumns {
  readonly passhash: string;
  readonly salt: string;
  readonly iter: number;
  readonly crackTime: number;
}

/**
 * Checks a new password and makes what is stored of it.
 * @throws {ApiError} 400 when too short, too long or too weak
 */
export async function preparePassword(
  core: Core,
  config: Config,
  password: string,
  forAdmin: boolean,
): Promise<PasswordColumns> {
  requirePasswordLength(password);
  const crackTime = await crackTimeSeconds(password);
  requireStrength(crackTime, forAdmin ? config.AdminPasswordMinCrackTimeSec : config.PasswordMinCrackTimeSec);
  const hash = await hashPassword(password, (length) => core.random.bytes(length), core.settings.passwordIterations);
  return { passhash: hash.hash, salt: hash.salt, iter: hash.iterations, crackTime };
}

/** Adds an account, in the caller's transaction. @throws {ApiError} 400 when name or address are taken */
export async function addUser(
  transaction: Queryable,
  values: RecordValues & { Name: string; Email: string },
  password: PasswordColumns,
): Promise<void> {
  await claimName(transaction, "user", values.Name);
  const { passhash: Passhash, salt: Salt, iter: Iter, crackTime: PassCrackTimeSec } = password;
  await explainTakenEmail(
    values.Email,
    () => insertRecord(transaction, USERS, { ...values, Passhash, Salt, Iter, PassCrackTimeSec }),
  );
}

/** Runs a change that sets an address; its being taken becomes a refusal. */
export async function explainTakenEmail<T>(email: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseError && error.place.constraint === "users_email_lower") {
      throw badRequest(`Email ${email} already in use`);
    }
    throw error;
  }
}
