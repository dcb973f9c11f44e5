import { appId } from "../matching/mod.ts";
import { CookieJar } from "./cookie_jar.ts";
import { TokenError } from "./jwt.ts";
import type { CookieKeys } from "./keys.ts";

/** Who holds a session: the app that registered, and the device by a name of its own. */
export interface Session {
  /** Address from which the device registered; recorded, never checked. */
  peerIp: string;
  organization: string;
  appName: string;
  appVersion: string;
  uniqueIdType: string;
  uniqueId: string;
}

/** A session that its cookie has proven, with the names by which tables know it: asked for many times on every call. */
export interface ProvenSession extends Session {
  /** Table id of the app. */
  readonly app: string;
  /** Names the device among all. */
  readonly device: string;
}

/** Reads one string member of a `key` claim; left out means empty. */
export function textMember(key: Readonly<Record<string, unknown>>, name: string): string {
  const value = key[name] ?? "";
  if (typeof value !== "string") throw new TokenError(`has a ${name} that is not text`);
  return value;
}

const text = (value: string) => value === "" ? undefined : value;

/** The jar of session cookies (DME specification 3.2). */
export function sessionCookies(
  options: { keys: CookieKeys; now: () => number; lifetimeMs: number },
): CookieJar<Session, ProvenSession> {
  return new CookieJar<Session, ProvenSession>({
    ...options,
    write: (session) =>
      JSON.stringify({
        peerip: text(session.peerIp),
        orgname: text(session.organization),
        appname: text(session.appName),
        appvers: text(session.appVersion),
        uniqueidtype: text(session.uniqueIdType),
        uniqueid: text(session.uniqueId),
      }).slice(1, -1),
    read(key) {
      const session = {
        peerIp: textMember(key, "peerip"),
        organization: textMember(key, "orgname"),
        appName: textMember(key, "appname"),
        appVersion: textMember(key, "appvers"),
        uniqueIdType: textMember(key, "uniqueidtype"),
        uniqueId: textMember(key, "uniqueid"),
      };
      const { organization, appName, appVersion, uniqueIdType, uniqueId } = session;
      return { ...session, app: appId(organization, appName, appVersion), device: `${uniqueIdType}\n${uniqueId}` };
    },
  });
}
