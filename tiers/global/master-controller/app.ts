import { Hono } from "hono";
import { authenticate } from "./auth/session.ts";
import type { Core } from "./core.ts";
import { ApiError, errorBody } from "./http/api_error.ts";
import { readJsonBody } from "./http/json_body.ts";
import type { Reply } from "./http/reply.ts";
import { type AuditFields, type AuthRoute, fullPath, type OpenCall, type Route } from "./http/route.ts";
import { streamResponse } from "./http/stream.ts";
import { openApiDocument } from "./openapi/document.ts";
import { clientUsageRoutes } from "./metrics/client_usage.ts";
import { usageEventRoutes } from "./metrics/usage_events.ts";
import { proxyRoutes } from "./region/proxy.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { configRoutes } from "./routes/config.ts";
import { organizationRoutes } from "./routes/organizations.ts";
import { regionRoutes } from "./routes/regions.ts";
import { roleRoutes } from "./routes/roles.ts";
import { userRoutes } from "./routes/users.ts";
import { serveTwin } from "./ws/twin.ts";
import { currentTraceparent, newTraceparent, runWithTraceparent, withSpan } from "../../../shared/telemetry/mod.ts";

/** Calls about metrics; by WebSocket, too. */
const metricsRoutes = [...clientUsageRoutes, ...usageEventRoutes];

/** Every call of the API. */
export const routes: readonly Route[] = [
  ...accountRoutes,
  ...userRoutes,
  ...organizationRoutes,
  ...roleRoutes,
  ...regionRoutes,
  ...configRoutes,
  ...proxyRoutes,
  ...metricsRoutes,
];

/** Answers a request; `remote` is the client's address. */
export type Handler = (request: Request, remote: string) => Promise<Response>;

/** Puts the API together. */
export function createApp(core: Core): Handler {
  const app = new Hono<{ Bindings: { remote: string } }>();
  app.get("/", (context) => context.text("OK"));
  app.get("/api/v1/openapi.json", (context) => context.json(openApiDocument(routes, core.settings.version)));
  for (const route of routes) {
    app.post(fullPath(route), (context) => serve(core, route, context.req.raw, context.env.remote));
  }
  for (const route of [...proxyRoutes, ...metricsRoutes]) {
    app.get(`/ws${fullPath(route)}`, (context) => serveSocket(core, route, context.req.raw, context.env.remote));
  }
  app.notFound((context) => context.json(errorBody("Not Found"), 404));
  app.onError((error, context) => {
    core.log.error("Request failed", { path: context.req.path, error: String(error) });
    return context.json(errorBody("Internal error"), 500);
  });
  return async (request, remote) => await app.fetch(request, { remote });
}

async function serve(core: Core, route: Route, request: Request, remote: string): Promise<Response> {
  const traceparent = request.headers.get("traceparent") ?? undefined;
  return await runWithTraceparent(
    traceparent,
    () =>
      withSpan(`POST ${fullPath(route)}`, { "http.request.method": "POST" }, async () => {
        const record = beginAudit(core, route, remote);
        const gone = new AbortController();
        const signal = AbortSignal.any([request.signal, gone.signal]);
        try {
          const reply = await run(core, route, request, signal, record.fields);
          if (reply.kind === "stream") {
            return await streamResponse(reply, {
              toError: (error) => toApiError(core, route, error),
              ended: (error) => record.end(200, error),
              abandon: () => gone.abort(),
            });
          }
          record.end(200);
          return toResponse(reply);
        } catch (thrown) {
          const error = toApiError(core, route, thrown);
          record.end(error.status, error);
          return Response.json(errorBody(error.message), { status: error.status });
        }
      }, { kind: "server" }),
  );
}

/** The same call over a WebSocket. */
async function serveSocket(core: Core, route: AuthRoute, request: Request, remote: string): Promise<Response> {
  const traceparent = request.headers.get("traceparent") ?? newTraceparent();
  return await runWithTraceparent(traceparent, () => {
    const record = beginAudit(core, route, remote);
    const toError = (error: unknown) => toApiError(core, route, error);
    try {
      const ended = (error: ApiError | undefined) => record.end(200, error);
      return Promise.resolve(serveTwin(core, route, request, { audit: record.fields, toError, ended }));
    } catch (thrown) {
      const error = toError(thrown);
      record.end(error.status, error);
      return Promise.resolve(Response.json(errorBody(error.message), { status: error.status }));
    }
  });
}

async function run(
  core: Core,
  route: Route,
  request: Request,
  signal: AbortSignal,
  audit: AuditFields,
): Promise<Reply> {
  const { headers } = request;
  if (route.open) {
    const body = await readJsonBody(request, route.emptyBody === true);
    return await route.handle({ core, body, headers, signal, audit });
  }
  const session = await authenticate(core, headers);
  audit.username = session.username;
  const body = await readJsonBody(request, route.emptyBody === true);
  const call: OpenCall = { core, body, headers, signal, audit };
  return await route.handle({ ...call, session });
}

function toResponse(reply: Exclude<Reply, { kind: "stream" }>): Response {
  switch (reply.kind) {
    case "empty":
      return new Response(null, { status: 200 });
    case "json": {
      const headers = reply.cookie === undefined ? undefined : { "set-cookie": reply.cookie };
      return Response.json(reply.body, { status: reply.status, headers });
    }
  }
}

/** A refusal as it is; anything else is a fault of ours, whose text stays in the log. */
function toApiError(core: Core, route: Route, error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  core.log.error("Request failed", { path: fullPath(route), error: String(error) });
  return new ApiError(500, "Internal error", { cause: error });
}

interface AuditRecord {
  readonly fields: AuditFields;
  end(status: number, error?: ApiError): void;
}

/** Writes one line when the call has ended: who did what where, and how it went. */
function beginAudit(core: Core, route: Route, remote: string): AuditRecord {
  const started = core.clock.monotonic();
  const fields: AuditFields = {};
  // A stream ends outside the context that it began in.
  const traceparent = currentTraceparent();
  return {
    fields,
    end(status, error) {
      const outcome = error?.status ?? status;
      const record = {
        method: "POST",
        path: fullPath(route),
        ...fields,
        remote,
        status: outcome,
        duration_ms: Math.round(core.clock.monotonic() - started),
        ...(error !== undefined && { error: error.message }),
      };
      const worthKeeping = !route.reading || (error !== undefined && outcome !== 403);
      runWithTraceparent(traceparent, () => {
        if (worthKeeping) core.log.info("audit", record);
        else core.log.debug("call", record);
      });
    },
  };
}
