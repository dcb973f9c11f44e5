import type { ProvenSession } from "../cookies/mod.ts";
import { TokenError } from "../cookies/mod.ts";
import type { Desk } from "./desk.ts";
import { unauthenticated } from "./errors.ts";

/**
 * The session that a cookie proves; there is nothing to wait for when it was verified a moment ago.
 *
 * @throws {RpcError} UNAUTHENTICATED when the cookie is not good, or its app is gone (DME specification 8).
 */
export function authenticate(desk: Desk, cookie: string): ProvenSession | Promise<ProvenSession> {
  const session = desk.sessions.recall(cookie);
  return session === undefined ? verify(desk, cookie) : requireApp(desk, session);
}

async function verify(desk: Desk, cookie: string): Promise<ProvenSession> {
  try {
    return requireApp(desk, await desk.sessions.verify(cookie));
  } catch (error) {
    if (error instanceof TokenError) throw unauthenticated(`Session cookie ${error.message}`);
    throw error;
  }
}

function requireApp(desk: Desk, session: ProvenSession): ProvenSession {
  if (desk.tables.app(session.app) !== undefined) return session;
  const { organization, appName, appVersion } = session;
  throw unauthenticated(`App not found: organization "${organization}", name "${appName}", version "${appVersion}"`);
}
