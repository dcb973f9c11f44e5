import {
  answerPreflight,
  corsHeaders,
  httpStatusOf,
  jsonResponse,
  jsonTextResponse,
  readJson,
} from "../../../../shared/http/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";
import { toJson } from "../../../../shared/schema/mod.ts";
import { type Call, type Caller, type Calls, inTrace, type StreamCall, TRACEPARENT } from "../api/mod.ts";
import type { EdgeDesk } from "../edge/mod.ts";
import { type EdgeHttp, edgeLines, EventSources } from "./edge_streams.ts";
import { readFindRequest } from "./find_request.ts";
import { errorBody, errorLine, MAX_MESSAGE_BYTES, messageOf, requestFault } from "./messages.ts";
import { streamResponse } from "./stream_response.ts";
import { edgeWebSocket } from "./web_socket.ts";

const PREFIX = "/v1/";

const STREAM_EDGE_EVENT = `${PREFIX}streamedgeevent`;

/** Of the calls that devices make most. */
const QUICK_READERS: Readonly<Record<string, (json: unknown) => unknown>> = { FindCloudlet: readFindRequest };

const BODY = { maxBytes: MAX_MESSAGE_BYTES };

const CORS = { headers: "Content-Type,Accept", methods: "GET,HEAD,POST,PUT,DELETE" };

/** Answers requests of the REST form of the client API (DME specification 2). */
export type RestHandler = (request: Request, peer: { address: string }) => Promise<Response>;

/** What the REST form is made of. */
export interface RestOptions {
  readonly calls: Calls;
  readonly edge: EdgeDesk;
  /** Told of errors that are nobody's fault but ours. */
  readonly onError: (error: unknown) => void;
}

/** Answers one request; throws what is to be answered as an error. */
type Route = (request: Request, caller: Caller, cors: Record<string, string> | undefined) => Promise<Response>;

/** Makes the handler. */
export function createRestHandler({ calls, edge, onError }: RestOptions): RestHandler {
  const report = (error: RpcError) => {
    if (error.code === Status.INTERNAL) onError(error.cause ?? error);
  };
  const routes = new Map<string, Route>();
  const { getQosPositionKpi, ...unary } = calls;
  for (const call of Object.values(unary) as Call<unknown, unknown>[]) {
    if (call.rest) routes.set(`${PREFIX}${call.name.toLowerCase()}`, unaryRoute(call, QUICK_READERS[call.name]));
  }
  // A published client asks for this name.
  routes.set(`${PREFIX}dynamiclocgroup`, unaryRoute(calls.addUserToGroup as Call<unknown, unknown>));
  routes.set(
    `${PREFIX}${getQosPositionKpi.name.toLowerCase()}`,
    streamRoute(getQosPositionKpi as StreamCall<unknown, unknown>, edge.clock, report),
  );
  const http: EdgeHttp = { edge, randomBytes: edge.desk.randomBytes, onError: report };
  const sources = new EventSources(http);
  routes.set(STREAM_EDGE_EVENT, async (request, caller, cors) => {
    const stream = new URL(request.url).searchParams.get("stream");
    if (stream === null) return await edgeLines(http, request, caller, cors ?? {});
    await sources.take(stream, request.body);
    return jsonResponse({}, 200, cors);
  });

  function route(request: Request): Route {
    const path = pathOf(request.url);
    const found = request.method === "POST" ? routes.get(path) : undefined;
    if (found !== undefined) return found;
    if (request.method === "GET" && path === STREAM_EDGE_EVENT) {
      const { headers } = request;
      if (headers.get("upgrade")?.toLowerCase() === "websocket") {
        return (request, caller) => edgeWebSocket(http, request, caller);
      }
      if (headers.get("accept")?.includes("text/event-stream")) {
        return (request, caller, cors) => sources.open(request, caller, cors ?? {});
      }
    }
    throw new RpcError(Status.UNIMPLEMENTED, "Not Implemented");
  }

  return async (request, peer) => {
    const preflight = answerPreflight(request, CORS);
    if (preflight !== undefined) return preflight;
    const cors = corsHeaders(request);
    try {
      return await route(request)(request, peer, cors);
    } catch (thrown) {
      const error = RpcError.from(requestFault(thrown));
      report(error);
      return jsonResponse(errorBody(error), httpStatusOf(error.code), cors);
    }
  };
}

function unaryRoute(call: Call<unknown, unknown>, read: (json: unknown) => unknown = () => undefined): Route {
  return async (request, caller, cors) => {
    const json = await readJson(request, BODY) ?? {};
    const message = read(json) ?? messageOf(call.input, json);
    const traceparent = request.headers.get(TRACEPARENT);
    const reply =
      await (traceparent
        ? inTrace(traceparent, call.name, () => call.run(message, caller))
        : call.run(message, caller));
    return jsonTextResponse(call.forms?.print(reply) ?? JSON.stringify(toJson(call.output, reply, "dme")), 200, cors);
  };
}

function streamRoute(call: StreamCall<unknown, unknown>, clock: Clock, onError: (error: RpcError) => void): Route {
  const form = {
    contentType: "application/json",
    message: (value: unknown) => `${JSON.stringify({ result: toJson(call.output, value, "dme") })}\n`,
    error: (error: RpcError) => `${JSON.stringify(errorLine(error))}\n`,
  };
  return async (request, caller, headers) => {
    const message = messageOf(call.input, await readJson(request, BODY) ?? {});
    return await streamResponse(call.run(message, caller), { form, headers: headers ?? {}, clock, onError });
  };
}

/** The path of an absolute URL; on every request, and much cheaper than parsing the whole. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return start < 0 ? "/" : url.slice(start, query < 0 ? undefined : query);
}
