import { acceptWebSocket } from "../../../../shared/runtime/mod.ts";
import { authenticateToken } from "../auth/session.ts";
import type { Core } from "../core.ts";
import { ApiError, badRequest, errorBody } from "../http/api_error.ts";
import { parseJsonBody, readFields } from "../http/json_body.ts";
import type { Reply } from "../http/reply.ts";
import type { AuditFields, AuthRoute } from "../http/route.ts";
import { Inbox } from "./inbox.ts";

/** How long a client may take to send its token and its request. */
const REQUEST_DEADLINE_MS = 30_000;
/** A reader that leaves so much unread is waited for. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** How often a slow reader is looked at. */
const SLOW_READER_PAUSE_MS = 20;

/** What a twin is given by its surroundings. */
export interface TwinHooks {
  readonly audit: AuditFields;
  toError(error: unknown): ApiError;
  ended(error: ApiError | undefined): void;
}

/**
 * Serves a call over a WebSocket (mc spec 1.2): the client sends `{"token":…}` and then the request; every document comes
 * as `{"code":200,"data":…}`, an error as `{"code":…,"data":{"message":…}}`, then the socket is closed with 1000. A client
 * that closes its socket ends the call to the region.
 * @throws {ApiError} 403 for a page of another origin, 400 for a request that asks for no WebSocket
 */
export function serveTwin(core: Core, route: AuthRoute, request: Request, hooks: TwinHooks): Response {
  requireOwnOrigin(request);
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") throw badRequest("WebSocket upgrade expected");
  const { response, socket } = acceptWebSocket(request);
  const inbox = new Inbox(socket);
  converse(core, route, request.headers, socket, inbox, hooks).then(
    () => hooks.ended(undefined),
    (thrown) => {
      const error = inbox.closed.aborted ? new ApiError(499, "Client closed the connection") : hooks.toError(thrown);
      sendFrame(socket, error.status === 401 ? 400 : error.status, errorBody(error.message));
      hooks.ended(error);
    },
  ).finally(() => socket.readyState === WebSocket.OPEN && socket.close(1000));
  return response;
}

async function converse(
  core: Core,
  route: AuthRoute,
  headers: Headers,
  socket: WebSocket,
  inbox: Inbox,
  { audit }: TwinHooks,
): Promise<void> {
  const deadline = AbortSignal.timeout(REQUEST_DEADLINE_MS);
  const { token } = readFields(parseJsonBody(await inbox.next(deadline)), { token: "string" });
  if (!token) throw badRequest("No bearer token found");
  const session = await authenticateToken(core, token, ["session", "websocket"]);
  audit.username = session.username;
  const body = parseJsonBody(await inbox.next(deadline));
  const reply = await route.handle({ core, session, body, headers, audit, signal: inbox.closed });
  for await (const document of documentsOf(reply)) {
    while (socket.bufferedAmount > MAX_UNREAD_BYTES) await core.clock.sleep(SLOW_READER_PAUSE_MS, inbox.closed);
    inbox.closed.throwIfAborted();
    sendFrame(socket, 200, document);
  }
  const last = reply.kind === "stream" ? reply.tail?.() : undefined;
  if (last !== undefined && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ code: 200, ...last }));
}

async function* documentsOf(reply: Reply): AsyncIterable<unknown> {
  switch (reply.kind) {
    case "json":
      yield reply.body;
      return;
    case "stream":
      yield* reply.items;
      return;
    case "empty":
      return;
  }
}

function sendFrame(socket: WebSocket, code: number, data: unknown): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ code, data }));
}

/** Browsers say which page opens the socket; other programs send no origin. */
function requireOwnOrigin(request: Request): void {
  const origin = request.headers.get("origin");
  if (origin === null) return;
  const host = request.headers.get("host") ?? new URL(request.url).host;
  if (URL.parse(origin)?.host !== host) throw new ApiError(403, "Forbidden");
}
