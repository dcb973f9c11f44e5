/** The signed cookies by which a DME knows a device again without keeping anything of it (DME specification 3.2, 3.3). */
export { CookieJar, MAX_REMEMBERED_TOKENS } from "./cookie_jar.ts";
export {
  type CookieLocation,
  type EdgeEvents,
  edgeEventsCookies,
  type EdgeInstance,
  prepareInstance,
  printLocation,
} from "./edge_events.ts";
export { type CookieKey, type CookieKeys, fixedKeys } from "./keys.ts";
export { ksuid } from "./ksuid.ts";
export { type ProvenSession, type Session, sessionCookies } from "./session.ts";
export { TokenError } from "./jwt.ts";
export { siteCookieKeys } from "./site_keys.ts";
export type { PreparedMembers } from "./token_writer.ts";
