import { appId } from "../matching/mod.ts";
import type { Session } from "../cookies/mod.ts";
import { TokenError } from "../cookies/mod.ts";
import type { Desk } from "./desk.ts";
import { unauthenticated } from "./errors.ts";

/**
 * The session that a cookie proves.
 *
 * @throws {RpcError} UNAUTHENTICATED when the cookie is not good, or its app is gone (DME specification 8).
 */
export async function authenticate(desk: Desk, cookie: string): Promise<Session> {
  let session = desk.sessions.recall(cookie);
  if (session === undefined) {
    try {
      session = await desk.sessions.verify(cookie);
    } catch (error) {
      if (error instanceof TokenError) throw unauthenticated(`Session cookie ${error.message}`);
      throw error;
    }
  }
  if (desk.tables.app(sessionApp(session)) === undefined) {
    const { organization, appName, appVersion } = session;
    throw unauthenticated(`App not found: organization "${organization}", name "${appName}", version "${appVersion}"`);
  }
  return session;
}

/** Table id of the app that a session belongs to. */
export function sessionApp(session: Session): string {
  return appId(session.organization, session.appName, session.appVersion);
}
