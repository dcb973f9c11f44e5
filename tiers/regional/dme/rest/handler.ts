import {
  answerPreflight,
  BodyError,
  corsHeaders,
  httpStatusOf,
  jsonResponse,
  readJson,
} from "../../../../shared/http/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { fromJson, issueText, JsonError, toJson } from "../../../../shared/schema/mod.ts";
import { type Call, type Calls, inTrace, TRACEPARENT } from "../api/mod.ts";

/** Longest request; the largest that a known client sends has some 14 KB, most of it a tag of padding. */
const MAX_BODY_BYTES = 256 * 1024;

const PREFIX = "/v1/";

const CORS = { headers: "Content-Type,Accept", methods: "GET,HEAD,POST,PUT,DELETE" };

/** Answers requests of the REST form of the client API (DME specification 2). */
export type RestHandler = (request: Request, peer: { address: string }) => Promise<Response>;

/** Makes the handler. @param onError told of errors that are nobody's fault but ours */
export function createRestHandler(calls: Calls, onError: (error: unknown) => void): RestHandler {
  const routes = new Map<string, Call<unknown, unknown>>();
  for (const call of Object.values(calls)) {
    routes.set(`${PREFIX}${call.name.toLowerCase()}`, call as Call<unknown, unknown>);
  }
  // A published client asks for this name.
  routes.set(`${PREFIX}dynamiclocgroup`, calls.addUserToGroup as Call<unknown, unknown>);

  return async (request, peer) => {
    const preflight = answerPreflight(request, CORS);
    if (preflight !== undefined) return preflight;
    const cors = corsHeaders(request);
    const call = request.method === "POST" ? routes.get(pathOf(request.url)) : undefined;
    try {
      if (call === undefined) throw new RpcError(Status.UNIMPLEMENTED, "Not Implemented");
      const message = await readRequest(call, request);
      const reply = await inTrace(
        request.headers.get(TRACEPARENT),
        call.name,
        () => call.run(message, { address: peer.address }),
      );
      return jsonResponse(toJson(call.output, reply, "dme"), 200, cors);
    } catch (error) {
      const { code, message, cause } = RpcError.from(error);
      if (code === Status.INTERNAL) onError(cause ?? error);
      return jsonResponse({ code, message, details: [] }, httpStatusOf(code), cors);
    }
  };
}

/** The path of an absolute URL; on every request, and much cheaper than parsing the whole. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return start < 0 ? "/" : url.slice(start, query < 0 ? undefined : query);
}

async function readRequest<I>(call: Call<I>, request: Request): Promise<I> {
  try {
    const json = await readJson(request, { maxBytes: MAX_BODY_BYTES });
    return fromJson(call.input, json ?? {}, "dme");
  } catch (error) {
    if (error instanceof BodyError) throw new RpcError(Status.INVALID_ARGUMENT, error.message);
    if (error instanceof JsonError) throw new RpcError(Status.INVALID_ARGUMENT, error.issues.map(issueText).join("; "));
    throw error;
  }
}
