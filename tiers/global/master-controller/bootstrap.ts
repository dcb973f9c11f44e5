import { type Database, DatabaseError, migrate } from "../../../shared/database/mod.ts";
import type { Core } from "./core.ts";
import { MIGRATIONS } from "./migrations.ts";
import { addAssignment } from "./model/assignments.ts";
import { loadConfig } from "./model/config.ts";
import { requireValidEmail, requireValidName } from "./model/names.ts";
import { findRecord } from "./model/record.ts";
import { USERS } from "./model/types.ts";
import { addUser, preparePassword } from "./model/users.ts";

/** The account that is made at the first start. */
export interface SuperuserOptions {
  readonly email: string;
  /** Gives the password; asked only when the account has to be made. */
  readonly password: () => Promise<string>;
}

/** Brings the schema up to date; several master controllers may do so at the same time. */
export async function prepareDatabase(database: Database, core: Pick<Core, "log">): Promise<void> {
  const ran = await migrate(database, MIGRATIONS);
  if (ran.length > 0) core.log.info("Database schema brought up to date", { steps: ran });
}

/**
 * Makes the superuser when there is none, with the role AdminManager.
 * @throws {ApiError} when name, address or password break the rules for administrators
 */
export async function ensureSuperuser(core: Core, options: SuperuserOptions): Promise<void> {
  const name = core.settings.superuser;
  if (await findRecord(core.database, USERS, name) !== undefined) return;
  requireValidName("Username", name);
  requireValidEmail(options.email);
  const password = await preparePassword(core, await loadConfig(core.database), await options.password(), true);
  try {
    await core.database.transaction(async (transaction) => {
      await addUser(transaction, { Name: name, Email: options.email, EmailVerified: true }, password);
      await addAssignment(transaction, { org: "", username: name, role: "AdminManager" });
    });
    core.log.info("Superuser made", { username: name });
  } catch (error) {
    // Another master controller, starting at the same moment, was faster.
    const lost = error instanceof DatabaseError && error.kind === "unique";
    if (!lost && await findRecord(core.database, USERS, name) === undefined) throw error;
  }
}
