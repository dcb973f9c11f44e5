import type { Core } from "../core.ts";
import { ApiError, badRequest } from "../http/api_error.ts";
import { BASE_LOGIN_DELAY_SEC, type Config, loadConfig } from "../model/config.ts";
import { checkPassword } from "./password.ts";
import { issueToken } from "./session.ts";
import { crackTimeSeconds, spanText } from "./strength.ts";

/** What a login answers. */
export interface Login {
  readonly token: string;
  readonly cookie: string;
  readonly admin: boolean;
}

interface AccountRow {
  name: string;
  email: string;
  email_verified: boolean;
  passhash: string;
  salt: string;
  iter: number;
  locked: boolean;
  pass_crack_time_sec: number;
  last_failed_login: Date | null;
  failed_logins: number;
  token_epoch: number;
  admin: boolean;
}

/**
 * Logs in with a password (mc spec 3.3, without second factor and API keys).
 * @param user name or email address
 * @throws {ApiError}
 */
export async function login(core: Core, user: string | undefined, password: string | undefined): Promise<Login> {
  if (!user) throw badRequest("Username not specified");
  if (!password) throw badRequest("Please specify password");
  const config = await loadConfig(core.database);
  // Name and address of an account share its place in the queue.
  const queue = (await findAccount(core, user))?.name ?? user.toLowerCase();
  const attempt = core.logins.run(queue, () => attemptLogin(core, config, user, password));
  if (attempt === undefined) throw new ApiError(429, "Login is rejected, please retry later.");
  const account = await attempt;
  if (account === undefined) {
    // Outside the queue: the delay is to slow the guesser down, not the account's owner.
    await core.clock.sleep(core.settings.failedLoginDelayMs);
    throw badRequest("Invalid username or password");
  }
  if (account.locked) throw badRequest("Account is locked, please contact support");
  if (!account.email_verified && !config.SkipVerifyEmail && !core.settings.skipVerifyEmail) {
    throw badRequest("Email not verified yet");
  }
  requireAdminStrength(config, account);
  const subject = { name: account.name, email: account.email, epoch: account.token_epoch };
  const issued = await issueToken(core, subject, Math.floor(config.UserLoginTokenValidDuration / 1e9));
  return { ...issued, admin: account.admin };
}

/** Checks the password and keeps the counters; undefined when name or password are wrong. */
async function attemptLogin(
  core: Core,
  config: Config,
  user: string,
  password: string,
): Promise<AccountRow | undefined> {
  const account = await findAccount(core, user);
  if (account === undefined) {
    // As much work as for an account that exists, so that the time tells nothing.
    await checkPassword(password, {
      hash: btoa("\0".repeat(32)),
      salt: btoa("\0".repeat(16)),
      iterations: core.settings.passwordIterations,
    });
    return undefined;
  }
  requireNoLockout(config, account, core.clock.now());
  const stored = { hash: account.passhash, salt: account.salt, iterations: account.iter };
  const now = new Date(core.clock.now());
  if (!await checkPassword(password, stored)) {
    await core.database.execute`update users set failed_logins = failed_logins + 1, last_failed_login = ${now}
      where name = ${account.name}`;
    return undefined;
  }
  const crackTime = account.pass_crack_time_sec || await crackTimeSeconds(password);
  await core.database.execute`update users
    set failed_logins = 0, last_login = ${now}, pass_crack_time_sec = ${crackTime} where name = ${account.name}`;
  return { ...account, pass_crack_time_sec: crackTime };
}

async function findAccount(core: Core, user: string): Promise<AccountRow | undefined> {
  const rows = await core.database.query<AccountRow>`
    select u.name, email, email_verified, passhash, salt, iter, locked, pass_crack_time_sec, last_failed_login,
      failed_logins, token_epoch,
      exists (select 1 from role_assignments r where r.username = u.name and r.org = '') as admin
    from users u where lower(u.name) = lower(${user}) or lower(u.email) = lower(${user})
    order by lower(u.name) = lower(${user}) desc limit 1`;
  return rows[0];
}

/** Refuses an attempt inside the waiting time after failures. @throws {ApiError} */
function requireNoLockout(config: Config, account: AccountRow, nowMs: number): void {
  if (account.failed_logins === 0 || account.last_failed_login === null) return;
  const openAgainMs = account.last_failed_login.getTime() + waitingSeconds(config, account.failed_logins) * 1000;
  if (nowMs >= openAgainMs) return;
  const left = Math.ceil((openAgainMs - nowMs) / 1000);
  throw badRequest(
    `Login temporarily disabled due to ${account.failed_logins} failed login attempts, please try again in ${left}s`,
  );
}

/** How long after the last failure the next attempt is taken, seconds. */
export function waitingSeconds(config: Config, failures: number): number {
  if (failures >= config.FailedLoginLockoutThreshold2) return config.FailedLoginLockoutTimeSec2;
  if (failures >= config.FailedLoginLockoutThreshold1) return config.FailedLoginLockoutTimeSec1;
  return failures > 0 ? BASE_LOGIN_DELAY_SEC : 0;
}

function requireAdminStrength(config: Config, account: AccountRow): void {
  const required = config.AdminPasswordMinCrackTimeSec;
  if (!account.admin || account.pass_crack_time_sec >= required) return;
  throw badRequest(
    `Admin too weak: requires crack time ${spanText(required)} but is ${spanText(account.pass_crack_time_sec)}. ` +
      "The password must be reset first",
  );
}
