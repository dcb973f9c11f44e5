import { Grants } from "../authz/grants.ts";
import type { Core } from "../core.ts";
import { badRequest } from "../http/api_error.ts";
import { type Claims, invalidToken, signToken, type TokenUse, verifyToken } from "./tokens.ts";

/** The caller of an authenticated call, as the database knows it at this moment. */
export interface Session {
  readonly username: string;
  readonly email: string;
  readonly grants: Grants;
  readonly claims: Claims;
}

/** A session may be refreshed until so long after its first token. */
export const MAX_SESSION_SECONDS = 30 * 24 * 3600;

/** Name of the cookie that carries the token for browsers. */
const COOKIE = "token";

interface AccountRow {
  name: string;
  email: string;
  token_epoch: number;
  roles: Record<string, string>;
}

/**
 * Finds out who calls. Account and roles are read with every call, so that what an administrator takes away is gone at
 * once in every master controller.
 * @throws {ApiError} 400 without a token or with one that has run out, 401 for one that is not valid
 */
export async function authenticate(core: Core, headers: Headers): Promise<Session> {
  const token = tokenOf(headers);
  if (token === undefined) throw badRequest("No bearer token found");
  return await authenticateToken(core, token, ["session"]);
}

/** Finds out whose token it is. @throws {ApiError} */
export async function authenticateToken(core: Core, token: string, uses: readonly TokenUse[]): Promise<Session> {
  const claims = await verifyToken(core.keys, token, uses, core.clock.now());
  const [account] = await core.database.query<AccountRow>`
    select u.name, u.email, u.token_epoch,
      coalesce(jsonb_object_agg(r.org, r.role) filter (where r.role is not null), '{}') as roles
    from users u left join role_assignments r on r.username = u.name
    where u.name = ${claims.username} group by u.name`;
  if (account === undefined || account.token_epoch !== claims.epoch) throw invalidToken();
  const grants = new Grants(new Map(Object.entries(account.roles)));
  return { username: account.name, email: account.email, grants, claims };
}

/** Whom a token is made for. */
export interface TokenSubject {
  readonly name: string;
  readonly email: string;
  readonly epoch: number;
  /** @default {"session"} */
  readonly use?: TokenUse;
}

/** Issues a session token and the cookie that carries it. */
export async function issueToken(
  core: Core,
  subject: TokenSubject,
  lifeSeconds: number,
  firstIssued?: number,
): Promise<{ token: string; cookie: string }> {
  const iat = Math.floor(core.clock.now() / 1000);
  const exp = iat + lifeSeconds;
  const token = await signToken(core.keys, {
    use: subject.use ?? "session",
    username: subject.name,
    email: subject.email,
    iat,
    exp,
    firstiat: firstIssued ?? iat,
    authtype: "passwordauth",
    epoch: subject.epoch,
  });
  const expires = new Date(exp * 1000).toUTCString();
  return { token, cookie: `${COOKIE}=${token}; Path=/; Expires=${expires}; Secure; HttpOnly; SameSite=Strict` };
}

function tokenOf(headers: Headers): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === COOKIE && value) return value;
  }
  return undefined;
}
