// The client API by gRPC and by REST, under one interface, so that a test can be run over both.
import { createChannel, createClient, RpcError, Status, type Status as Code } from "../../../../shared/rpc/mod.ts";
import { dme, fromJson, type MessageType, toJson } from "../../../../shared/schema/mod.ts";
import type { TestRegion } from "./region.ts";

type Methods = typeof dme.MatchEngineApi.methods;
type Unary = Exclude<keyof Methods, "getQosPositionKpi" | "streamEdgeEvent">;
type Request<M extends Unary> = Methods[M] extends { input: MessageType<infer I> } ? I : never;
type Reply<M extends Unary> = Methods[M] extends { output: MessageType<infer O> } ? O : never;

export interface TestClient {
  call<M extends Unary>(method: M, request: Parameters<MessageType<Request<M>>["create"]>[0]): Promise<Reply<M>>;
  close(): Promise<void>;
}

type Loose = MessageType<unknown>;

export async function grpcClient(region: TestRegion): Promise<TestClient> {
  const { server, address } = await region.grpcServer();
  const channel = createChannel({ address });
  const client = createClient(dme.MatchEngineApi, channel, { timeoutMs: 30_000 });
  return {
    call(method, request) {
      const input = dme.MatchEngineApi.methods[method].input as Loose;
      return (client[method] as (request: unknown) => Promise<never>)(input.create(request as never));
    },
    async close() {
      channel.close();
      await server.close();
    },
  };
}

/** Sends what a REST client sends and reads the reply by the specified JSON, over the handler itself. */
export function restClient(region: TestRegion): TestClient {
  return {
    async call(method, request) {
      const definition = dme.MatchEngineApi.methods[method];
      const { input, output } = definition as unknown as { input: Loose; output: Loose };
      const body = JSON.stringify(toJson(input, input.create(request as never), "dme"));
      const url = `https://localhost/v1/${definition.name.toLowerCase()}`;
      const response = await region.rest(new Request(url, { method: "POST", body }), { address: "127.0.0.1" });
      const json = await response.json();
      if (response.status === 200) return fromJson(output, json, "dme") as never;
      throw new RpcError(json.code as Code, json.message);
    },
    close: () => Promise.resolve(),
  };
}

/** Runs a test over both faces. */
export function overBothFaces(
  name: string,
  body: (client: TestClient, region: TestRegion) => Promise<void>,
  makeRegion: () => TestRegion,
): void {
  for (const [face, make] of [["gRPC", grpcClient], ["REST", restClient]] as const) {
    Deno.test(`${name}, by ${face}`, async () => {
      const region = makeRegion();
      const client = await make(region);
      try {
        await body(client, region);
        if (region.errors.length > 0) throw region.errors[0];
      } finally {
        await client.close();
      }
    });
  }
}

/** Matches a refusal. */
export function refusal(code: keyof typeof Status, text: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof RpcError && error.code === Status[code] && text.test(error.message);
}
