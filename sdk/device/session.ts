import { MatchError } from "./errors.ts";
import type { AppKey } from "./instance.ts";
import { type JsonObject, textOf } from "./json.ts";
import type { Rest } from "./rest.ts";

/** Who a device is to the platform. */
export interface DeviceIdentity {
  readonly type: string;
  readonly id: string;
}

/** What a registration is made of. */
export interface SessionOptions {
  readonly rest: Rest;
  readonly app: AppKey;
  /** Token by which the app's own back-end vouches for it, where the app has a public key. */
  readonly authToken?: string | (() => string | Promise<string>);
  readonly identity?: DeviceIdentity;
}

/** What a registration gave. */
export interface Registration {
  /** Good for a day. */
  readonly sessionCookie: string;
  /** Where the operator's network gives a token for VerifyLocation; "" when it does not. */
  readonly tokenServerUri: string;
  readonly identity: DeviceIdentity;
}

/** A device's session at the matching engines of a region. */
export interface Session {
  /** Registers anew. @throws {MatchError} */
  register(signal?: AbortSignal): Promise<Registration>;
  /** The registration there is; registers when there is none. @throws {MatchError} */
  current(): Promise<Registration>;
  /**
   * Makes a call with the session cookie. One that is refused for the cookie is made again, once, after a new
   * registration: sessions run out, and their keys can be withdrawn.
   *
   * @throws {MatchError}
   */
  withCookie<T>(call: (sessionCookie: string) => Promise<T>): Promise<T>;
}

/** Makes a session; nothing is sent before it is used. */
export function createSession({ rest, app, authToken, identity: given }: SessionOptions): Session {
  let registration: Registration | undefined;
  let identity = given;
  let running: Promise<Registration> | undefined;

  async function registerNow(signal?: AbortSignal): Promise<Registration> {
    const token = typeof authToken === "function" ? await authToken() : authToken;
    const reply: JsonObject = await rest.call("RegisterClient", {
      org_name: app.organization,
      app_name: app.name,
      app_vers: app.version,
      auth_token: token,
      unique_id_type: identity?.type,
      unique_id: identity?.id,
    }, signal);
    // An identity that the region made stays the device's when it registers again.
    identity ??= { type: textOf(reply.unique_id_type), id: textOf(reply.unique_id) };
    return registration = {
      sessionCookie: textOf(reply.session_cookie),
      tokenServerUri: textOf(reply.token_server_uri),
      identity,
    };
  }

  /** Calls that find no session at the same time share one registration. */
  function register(signal?: AbortSignal): Promise<Registration> {
    return running ??= registerNow(signal).finally(() => running = undefined);
  }

  const current = () => registration === undefined ? register() : Promise.resolve(registration);

  return {
    register,
    current,
    async withCookie(call) {
      const { sessionCookie } = await current();
      try {
        return await call(sessionCookie);
      } catch (error) {
        if (!(error instanceof MatchError) || error.code !== "UNAUTHENTICATED") throw error;
        // Another call may have registered meanwhile.
        const fresh = registration?.sessionCookie === sessionCookie ? await register() : await current();
        return await call(fresh.sessionCookie);
      }
    },
  };
}
