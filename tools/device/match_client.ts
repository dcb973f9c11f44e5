import { createChannel, createClient, RpcError, Status, type Status as Code, toStatus } from "../../shared/rpc/mod.ts";
import { dme, fromJson, type MessageType, toJson } from "../../shared/schema/mod.ts";

/** The calls of the client API that the simulator makes, by whichever face. A refusal is an RpcError. */
export interface MatchClient {
  registerClient(request: dme.RegisterClientRequest): Promise<dme.RegisterClientReply>;
  findCloudlet(request: dme.FindCloudletRequest): Promise<dme.FindCloudletReply>;
  close(): void;
}

/** How long a call may take; what the SDKs of the API allow. */
const CALL_TIMEOUT_MS = 10_000;

/**
 * Calls by REST.
 *
 * @param fetcher trusts the certificate of the service; `fetch` where it is signed by a public authority
 */
export function restMatchClient(url: string, fetcher: (request: Request) => Promise<Response>): MatchClient {
  const { registerClient, findCloudlet } = dme.MatchEngineApi.methods;

  async function call<I, O>(
    method: { name: string; input: MessageType<I>; output: MessageType<O> },
    request: I,
  ): Promise<O> {
    const target = new URL(`/v1/${method.name.toLowerCase()}`, url);
    const body = JSON.stringify(toJson(method.input, request, "dme"));
    const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
    let status: number;
    let text: string;
    try {
      const headers = { "content-type": "application/json" };
      const response = await fetcher(new Request(target, { method: "POST", body, headers, signal }));
      status = response.status;
      text = await response.text();
    } catch (error) {
      const why = signal.aborted ? "no answer in time" : reasonOf(error);
      throw new RpcError(Status.UNAVAILABLE, why, { cause: error });
    }
    let json: unknown;
    try {
      json = JSON.parse(text);
      if (status === 200) return fromJson(method.output, json, "dme");
    } catch (error) {
      throw new RpcError(Status.INTERNAL, `HTTP ${status} with a body that is not of the client API`, { cause: error });
    }
    const { code, message } = json as { code?: number; message?: string };
    throw new RpcError((toStatus(code ?? 2) || Status.UNKNOWN) as Code, message ?? `HTTP ${status}`);
  }

  return {
    registerClient: (request) => call(registerClient, request),
    findCloudlet: (request) => call(findCloudlet, request),
    close: () => {},
  };
}

/** Calls by gRPC. @param ca PEM roots to trust; undefined: the connection is not encrypted */
export function grpcMatchClient(address: string, ca: string | undefined): MatchClient {
  const channel = createChannel({ address, tls: ca === undefined ? undefined : { ca } });
  const client = createClient(dme.MatchEngineApi, channel, { timeoutMs: CALL_TIMEOUT_MS });
  return {
    registerClient: (request) => client.registerClient(request),
    findCloudlet: (request) => client.findCloudlet(request),
    close: () => channel.close(),
  };
}

/** The innermost reason of a failed fetch, which is the one that says something. */
function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  const text = inner instanceof Error ? inner.message : String(inner);
  return text.replace(/^error sending request for url \(\S*\): /, "");
}
