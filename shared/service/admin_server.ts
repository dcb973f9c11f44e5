import { type HttpListener, memoryUsage, serveHttp } from "../runtime/mod.ts";
import { type Metrics, OPENMETRICS_CONTENT_TYPE } from "../telemetry/mod.ts";
import type { Address } from "./address.ts";
import type { ReadyChecks } from "./ready_checks.ts";

type Handler = (request: Request) => Response | Promise<Response>;

/** The admin server of a process and the way to add to it. */
export interface AdminServer {
  readonly listener: HttpListener;
  route(path: string, handler: Handler): void;
}

/** Starts serving health and metrics. */
export async function startAdminServer(address: Address, checks: ReadyChecks, metrics: Metrics): Promise<AdminServer> {
  metrics.gauge({ name: "process_resident_memory_bytes", help: "Memory held by the process." })
    .collect(() => memoryUsage().rssBytes);
  const routes = new Map<string, Handler>([
    ["/healthz", () => Response.json({ live: true })],
    ["/readyz", async () => {
      const state = await checks.run();
      return Response.json(state, { status: state.ready ? 200 : 503 });
    }],
    ["/metrics", () => new Response(metrics.expose(), { headers: { "content-type": OPENMETRICS_CONTENT_TYPE } })],
  ]);
  const listener = await serveHttp({
    ...address,
    handler(request) {
      const path = new URL(request.url).pathname;
      const handler = routes.get(path);
      if (!handler) {
        return Response.json({ error: `No such page; there are ${[...routes.keys()].join(", ")}` }, { status: 404 });
      }
      return handler(request);
    },
  });
  return { listener, route: (path, handler) => void routes.set(path, handler) };
}
