import { Json, type Queryable } from "../../../../shared/database/mod.ts";
import { durationText, parseDuration, shownValue } from "../../../../shared/schema/mod.ts";
import { badRequest } from "../http/api_error.ts";
import { type FieldType, type JsonBody, readFields } from "../http/json_body.ts";

/** Settings of the master controller that administrators change at run time (mc spec 2.3), as far as they act. */
export interface Config {
  /** New accounts start locked. */
  LockNewAccounts: boolean;
  /** Accounts may log in without a verified email address. */
  SkipVerifyEmail: boolean;
  /** Least time to crack a user's password at a million guesses per second, seconds. */
  PasswordMinCrackTimeSec: number;
  /** The same for administrators. */
  AdminPasswordMinCrackTimeSec: number;
  /** After so many failed logins an account waits longer than the base delay. */
  FailedLoginLockoutThreshold1: number;
  FailedLoginLockoutTimeSec1: number;
  FailedLoginLockoutThreshold2: number;
  FailedLoginLockoutTimeSec2: number;
  /** Life of a login, nanoseconds. */
  UserLoginTokenValidDuration: number;
  /** Life of a token for a WebSocket, nanoseconds. */
  WebsocketTokenValidDuration: number;
}

/** A failed login costs at least this long, seconds. */
export const BASE_LOGIN_DELAY_SEC = 3;

const SECOND_NS = 1_000_000_000;
const MIN_LOGIN_TOKEN_NS = 180 * SECOND_NS;

/** What holds unless an administrator says otherwise. */
export const DEFAULT_CONFIG: Config = {
  LockNewAccounts: false,
  SkipVerifyEmail: false,
  PasswordMinCrackTimeSec: 30 * 24 * 3600,
  AdminPasswordMinCrackTimeSec: 2 * 365 * 24 * 3600,
  FailedLoginLockoutThreshold1: 3,
  FailedLoginLockoutTimeSec1: 60,
  FailedLoginLockoutThreshold2: 10,
  FailedLoginLockoutTimeSec2: 300,
  UserLoginTokenValidDuration: 24 * 3600 * SECOND_NS,
  WebsocketTokenValidDuration: 120 * SECOND_NS,
};

const DURATIONS = ["UserLoginTokenValidDuration", "WebsocketTokenValidDuration"] as const;

const DECLARED: Record<Exclude<keyof Config, typeof DURATIONS[number]>, FieldType> = {
  LockNewAccounts: "boolean",
  SkipVerifyEmail: "boolean",
  PasswordMinCrackTimeSec: "number",
  AdminPasswordMinCrackTimeSec: "number",
  FailedLoginLockoutThreshold1: "integer",
  FailedLoginLockoutTimeSec1: "integer",
  FailedLoginLockoutThreshold2: "integer",
  FailedLoginLockoutTimeSec2: "integer",
};

/** The settings in force. */
export async function loadConfig(database: Queryable): Promise<Config> {
  const [row] = await database.query<{ settings: Partial<Config> }>`select settings from configs where id = 1`;
  return { ...DEFAULT_CONFIG, ...row?.settings };
}

/** Stores settings. A change of either crack time makes every user's strength unknown, until the next login. */
export async function storeConfig(transaction: Queryable, config: Config): Promise<void> {
  const before = await loadConfig(transaction);
  await transaction.execute`insert into configs (id, settings) values (1, ${new Json(config)})
    on conflict (id) do update set settings = excluded.settings`;
  if (
    before.PasswordMinCrackTimeSec !== config.PasswordMinCrackTimeSec ||
    before.AdminPasswordMinCrackTimeSec !== config.AdminPasswordMinCrackTimeSec
  ) {
    await transaction.execute`update users set pass_crack_time_sec = 0`;
  }
}

/** The settings with the present keys of a body laid over. @throws {ApiError} 400 when they do not fit together */
export function mergeConfig(config: Config, body: JsonBody): Config {
  const { durations, rest } = readDurations(body);
  const merged = { ...config, ...readFields(rest, DECLARED), ...durations } as Config;
  requireSound(merged);
  return merged;
}

/** The settings as the API shows them. */
export function configJson(config: Config): Record<string, unknown> {
  return { ...config, ...Object.fromEntries(DURATIONS.map((name) => [name, durationText(config[name])])) };
}

/** What everybody may know: with how strong a password to come. */
export function publicConfigJson(config: Config): Record<string, unknown> {
  const blank = Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, typeof value === "boolean" ? false : 0]),
  ) as unknown as Config;
  return configJson({ ...blank, PasswordMinCrackTimeSec: config.PasswordMinCrackTimeSec });
}

function readDurations(body: JsonBody): { durations: Partial<Config>; rest: JsonBody } {
  const durations: Partial<Config> = {};
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body.value)) {
    const name = DURATIONS.find((each) => each.toLowerCase() === key.toLowerCase());
    if (name === undefined) {
      rest[key] = value;
      continue;
    }
    const duration = Number.isSafeInteger(value) ? value as number : parseDuration(String(value));
    if (duration === undefined) throw badRequest(`${key} is ${shownValue(value)}, must be a duration as 24h0m0s`);
    durations[name] = duration;
  }
  return { durations, rest: { value: rest, offsetOf: body.offsetOf } };
}

function requireSound(config: Config): void {
  const rules: [boolean, string][] = [
    [config.PasswordMinCrackTimeSec >= 0, "PasswordMinCrackTimeSec cannot be negative"],
    [
      config.AdminPasswordMinCrackTimeSec >= config.PasswordMinCrackTimeSec,
      "AdminPasswordMinCrackTimeSec cannot be less than PasswordMinCrackTimeSec",
    ],
    [config.FailedLoginLockoutThreshold1 > 0, "FailedLoginLockoutThreshold1 must be greater than 0"],
    [
      config.FailedLoginLockoutThreshold2 > config.FailedLoginLockoutThreshold1,
      "FailedLoginLockoutThreshold2 must be greater than FailedLoginLockoutThreshold1",
    ],
    [
      config.FailedLoginLockoutTimeSec1 >= BASE_LOGIN_DELAY_SEC,
      `FailedLoginLockoutTimeSec1 must be at least the base delay of ${BASE_LOGIN_DELAY_SEC} seconds`,
    ],
    [
      config.FailedLoginLockoutTimeSec2 >= config.FailedLoginLockoutTimeSec1,
      "FailedLoginLockoutTimeSec2 must be at least FailedLoginLockoutTimeSec1",
    ],
    [
      config.UserLoginTokenValidDuration >= MIN_LOGIN_TOKEN_NS,
      "UserLoginTokenValidDuration must be at least 3m, or nobody could log in to correct it",
    ],
    [config.WebsocketTokenValidDuration >= SECOND_NS, "WebsocketTokenValidDuration must be at least 1s"],
  ];
  for (const [sound, rule] of rules) {
    if (!sound) throw badRequest(rule);
  }
}
