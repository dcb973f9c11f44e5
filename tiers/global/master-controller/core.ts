import type { Database } from "../../../shared/database/mod.ts";
import type { Clock, RandomSource } from "../../../shared/runtime/mod.ts";
import type { Logger } from "../../../shared/telemetry/mod.ts";
import type { SigningKeys } from "./auth/tokens.ts";
import type { KeyedQueue } from "./auth/keyed_queue.ts";
import type { RegionDirectory } from "./region/directory.ts";

/** What does not change while the master controller runs. */
export interface Settings {
  /** The account made at the first start; it can be neither deleted nor robbed of its role. */
  readonly superuser: string;
  /** Accounts may log in without a verified email address, whatever the stored configuration says. */
  readonly skipVerifyEmail: boolean;
  /** Organization that owns what the platform itself deploys; only administrators may create it. */
  readonly platformOrg: string;
  /** Rounds of PBKDF2 for new passwords. */
  readonly passwordIterations: number;
  /** How long the answer to a failed login is held back, milliseconds. */
  readonly failedLoginDelayMs: number;
  readonly version: string;
  readonly hostName: string;
}

/** What every route works with. */
export interface Core {
  readonly database: Database;
  readonly keys: SigningKeys;
  readonly regions: RegionDirectory;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Logger;
  readonly settings: Settings;
  /** Logins of one account, one after another, so that guesses in parallel cannot pass the lockout. */
  readonly logins: KeyedQueue;
}
