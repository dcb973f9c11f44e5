import { createServer, RpcError, type ServerTls, Status } from "../../shared/rpc/mod.ts";
import { queryqos } from "../../shared/schema/mod.ts";
import { createToken, judge, readToken, type Subscribers } from "./locations.ts";
import { type SimSession, SimSessions } from "./sessions.ts";

/** What a simulated network is made of. */
export interface NetworkOptions {
  readonly httpAddr: { readonly hostname: string; readonly port: number };
  readonly grpcAddr: { readonly hostname: string; readonly port: number };
  readonly grpcTls?: ServerTls;
  readonly subscribers: Subscribers;
  readonly login: string;
  readonly apiKey: string;
  /** `part=what`, as the options have it. */
  readonly fail: readonly string[];
  readonly now?: () => number;
}

/** A running network of a pretended operator. */
export interface SimNetwork {
  /** Base URL of the token server, location API and sessions. */
  readonly url: string;
  readonly grpcAddress: string;
  /** Faults from now on. */
  failures: readonly string[];
  sessions(): SimSession[];
  close(): Promise<void>;
}

/** Starts the servers of a pretended operator. */
export async function startNetwork(options: NetworkOptions): Promise<SimNetwork> {
  const now = options.now ?? Date.now;
  const sessions = new SimSessions(now);
  let failures = options.fail;
  const faultOf = (part: string) => failures.find((each) => each.startsWith(`${part}=`))?.slice(part.length + 1);

  async function handle(request: Request, address: string): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const part = pathname === "/its" ? "its" : pathname === "/verify" ? "verify" : "sessions";
    const fault = faultOf(part);
    if (fault === "stall") await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
    if (fault === "garbage") return new Response("<html>not what you think");
    if (fault !== undefined) return new Response(null, { status: Number(fault) });
    if (part === "its") return giveToken(searchParams.get("followURL"), address, now());
    if (part === "verify") return await verify(request, options, now());
    const [, base, id] = /^\/(5g-latency|5g-throughput)\/sessions\/([^/]*)$/.exec(pathname) ?? [];
    if (base === undefined) return new Response(null, { status: 404 });
    if (request.headers.get("authorization") !== options.apiKey) return new Response(null, { status: 401 });
    return await sessions.answer(request.method, base, id!, request);
  }

  const stop = new AbortController();
  const http = Deno.serve({
    ...options.httpAddr,
    signal: stop.signal,
    onListen: () => {},
    handler: (request, info) => handle(request, (info.remoteAddr as Deno.NetAddr).hostname),
  });
  const grpc = createServer({ tls: options.grpcTls });
  grpc.addService(queryqos.QueryQoS, {
    async *queryQoSKPI(request, call) {
      const fault = faultOf("kpi");
      if (fault === "stall") {
        await new Promise((resolve) => call.signal.addEventListener("abort", resolve, { once: true }));
      }
      if (fault !== undefined) throw new RpcError(Status.UNAVAILABLE, "The network is being repaired");
      // Two replies, as a real service answers long requests in parts.
      const half = Math.ceil(request.requests.length / 2);
      for (const part of [request.requests.slice(0, half), request.requests.slice(half)]) {
        if (part.length === 0) continue;
        yield queryqos.QoSKPIResponse.create({ requestid: request.requestid, results: part.map(predict) });
      }
    },
  });
  const grpcAt = await grpc.listen(options.grpcAddr);
  const { hostname, port } = http.addr as Deno.NetAddr;
  return {
    url: `http://${hostname}:${port}`,
    grpcAddress: `${grpcAt.hostname}:${grpcAt.port}`,
    get failures() {
      return failures;
    },
    set failures(value) {
      failures = value;
    },
    sessions: () => sessions.list(),
    async close() {
      await grpc.close();
      stop.abort();
      await http.finished;
    },
  };
}

/** Sends a device on to where it came from, with a token. */
function giveToken(followUrl: string | null, address: string, nowMs: number): Response {
  const url = followUrl === null ? null : URL.parse(followUrl);
  if (url === null) return new Response("followURL is missing", { status: 400 });
  url.searchParams.set("dt-id", createToken(address, nowMs));
  return new Response(null, { status: 303, headers: { location: url.href } });
}

async function verify(request: Request, { subscribers, login }: NetworkOptions, nowMs: number): Promise<Response> {
  if (login !== "" && request.headers.get("authorization") !== `Basic ${btoa(login)}`) {
    return new Response(null, { status: 401 });
  }
  const { latitude, longitude, token } = await request.json() as Record<string, unknown>;
  const address = readToken(String(token), nowMs);
  if (address === undefined) {
    return Response.json({ matchingDegree: "-1", message: "invalidToken: unknown or expired" });
  }
  return Response.json(judge(subscribers[address], { latitude: Number(latitude), longitude: Number(longitude) }));
}

/** The nearer to the equator, the better the network: a rule that tests can know. */
function predict({ positionid, latitude }: queryqos.QoSKPIRequestPosition): queryqos.QoSKPIResult {
  const quality = 90 - Math.abs(latitude);
  return queryqos.QoSKPIResult.create({
    positionid,
    dluserthroughputMin: quality,
    dluserthroughputAvg: quality * 2,
    dluserthroughputMax: quality * 3,
    uluserthroughputMin: quality / 4,
    uluserthroughputAvg: quality / 2,
    uluserthroughputMax: quality,
    latencyMin: 10,
    latencyAvg: 20,
    latencyMax: 40,
  });
}
