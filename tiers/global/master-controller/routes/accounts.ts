import { login } from "../auth/login.ts";
import { issueToken, MAX_SESSION_SECONDS } from "../auth/session.ts";
import { ApiError, badRequest } from "../http/api_error.ts";
import { type JsonBody, readFields } from "../http/json_body.ts";
import { json } from "../http/reply.ts";
import type { AuthCall, OpenCall, Route } from "../http/route.ts";
import { loadConfig, publicConfigJson } from "../model/config.ts";
import { requireValidEmail, requireValidName } from "../model/names.ts";
import { readRecord, type RecordValues } from "../model/record.ts";
import { USERS } from "../model/types.ts";
import { addUser, OWN_FIELDS, preparePassword } from "../model/users.ts";

/** Logging in, making an account, and what anybody may know. */
export const accountRoutes: readonly Route[] = [
  { path: "login", open: true, summary: "Log in with name or email address and password", handle: logIn },
  { path: "usercreate", open: true, summary: "Make an account", handle: createUser },
  {
    path: "publicconfig",
    open: true,
    emptyBody: true,
    reading: true,
    summary: "Settings that everybody may know",
    handle: async ({ core }) => json(publicConfigJson(await loadConfig(core.database))),
  },
  { path: "wstoken", emptyBody: true, summary: "A short-lived token for a WebSocket", handle: webSocketToken },
  { path: "refresh", emptyBody: true, summary: "Renew the session's token", handle: refresh },
];

async function logIn({ core, body, audit }: OpenCall) {
  const { username, password } = readFields(body, {
    username: "string",
    password: "string",
    totp: "string",
    apikeyid: "string",
    apikey: "string",
  });
  audit.username = username;
  const { token, cookie, admin } = await login(core, username, password);
  return json(admin ? { token, admin } : { token }, cookie);
}

async function createUser({ core, body, audit }: OpenCall) {
  const values = readRecord(USERS, withoutExtras(body));
  const name = String(values.Name ?? "");
  const email = String(values.Email ?? "");
  audit.username = name;
  if (name === "") throw badRequest("Name not specified");
  requireValidName("Username", name);
  requireValidEmail(email);
  const config = await loadConfig(core.database);
  const password = await preparePassword(core, config, String(values.Passhash ?? ""), false);
  const own: Record<string, RecordValues[string]> = {};
  for (const each of OWN_FIELDS) {
    if (values[each] !== undefined) own[each] = values[each];
  }
  await core.database.transaction((transaction) =>
    addUser(transaction, { ...own, Name: name, Email: email, Locked: config.LockNewAccounts }, password)
  );
  return json({ Message: "user created", TOTPSharedKey: "", TOTPQRImage: "" });
}

/**
 * Takes out the keys that belong to the request rather than the account: `verify`, of no effect as no mail is sent, and
 * the second factor, which is not offered.
 * @throws {ApiError} 400 when the second factor is asked for
 */
export function withoutExtras(body: JsonBody): JsonBody {
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body.value)) {
    switch (key.toLowerCase()) {
      case "verify":
      case "totpsharedkey":
        break;
      case "enabletotp":
        if (value === true) throw badRequest("EnableTOTP cannot be set, a second factor is not offered");
        break;
      default:
        rest[key] = value;
    }
  }
  return { value: rest, offsetOf: body.offsetOf };
}

async function webSocketToken({ core, session }: AuthCall) {
  const { WebsocketTokenValidDuration: life } = await loadConfig(core.database);
  const subject = { name: session.username, email: session.email, epoch: session.claims.epoch };
  const { token } = await issueToken(core, { ...subject, use: "websocket" }, Math.floor(life / 1e9));
  return json({ token });
}

async function refresh({ core, session }: AuthCall) {
  const age = Math.floor(core.clock.now() / 1000) - session.claims.firstiat;
  if (age > MAX_SESSION_SECONDS) throw new ApiError(401, "Expired jwt");
  const config = await loadConfig(core.database);
  const subject = { name: session.username, email: session.email, epoch: session.claims.epoch };
  const life = Math.floor(config.UserLoginTokenValidDuration / 1e9);
  const { token, cookie } = await issueToken(core, subject, life, session.claims.firstiat);
  return json({ token }, cookie);
}
