import type { Session } from "../auth/session.ts";
import type { Core } from "../core.ts";
import type { JsonBody } from "./json_body.ts";
import type { Reply } from "./reply.ts";

/** What the audit line of a call says beyond path, status and duration. */
export interface AuditFields {
  username?: string;
  org?: string;
  region?: string;
}

/** A call of an open route. */
export interface OpenCall {
  readonly core: Core;
  readonly body: JsonBody;
  readonly headers: Headers;
  /** Fires when the client is gone. */
  readonly signal: AbortSignal;
  readonly audit: AuditFields;
}

/** A call of somebody who is logged in. */
export interface AuthCall extends OpenCall {
  readonly session: Session;
}

interface RouteFacts {
  /** Path after `/api/v1/`, or after `/api/v1/auth/` when the caller must be logged in. */
  readonly path: string;
  readonly summary: string;
  /** Whether no body stands for `{}`. */
  readonly emptyBody?: boolean;
  /** Recorded in the audit log only when it fails with another status than 403 (mc spec 8.2). */
  readonly reading?: boolean;
}

/** A route that anybody may call. */
export interface OpenRoute extends RouteFacts {
  readonly open: true;
  handle(call: OpenCall): Promise<Reply>;
}

/** A route for callers who are logged in. */
export interface AuthRoute extends RouteFacts {
  readonly open?: false;
  handle(call: AuthCall): Promise<Reply>;
}

/** One call of the API; all are POST. */
export type Route = OpenRoute | AuthRoute;

/** The whole path of a route. */
export function fullPath(route: Route): string {
  return route.open ? `/api/v1/${route.path}` : `/api/v1/auth/${route.path}`;
}
