// The floors of `bench:dme`: handlers that do nothing, on the servers of the engine and on grpc-js. Argument: folder with the
// certificate of the engine's public ports.
import { Buffer } from "node:buffer";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { jsonResponse, readJson } from "../../../shared/http/mod.ts";
import { createServer, rawBytes } from "../../../shared/rpc/mod.ts";
import { serveHttp } from "../../../shared/runtime/mod.ts";
import { serveCommands } from "../rpc/process.ts";
import { FIND_PATH, REST_FIND_PATH } from "./links.ts";

const [folder] = Deno.args as [string];
const read = (name: string): string => Deno.readTextFileSync(`${folder}/${name}.pem`);
const [cert, key, ca] = [read("cert"), read("key"), read("ca")];

/** Reads the request's JSON, and prints a reply of the engine's again and again. */
async function startRest(reply: unknown): Promise<number> {
  const bare = JSON.stringify(reply);
  const { port } = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert, key },
    async handler(request) {
      if (!request.url.endsWith(REST_FIND_PATH)) return new Response(bare);
      await readJson(request);
      return jsonResponse(reply);
    },
  });
  return port;
}

const method = { requestStream: false, responseStream: false } as const;

async function startGrpc(reply: Uint8Array): Promise<number> {
  const server = createServer({ tls: { cert, key, ca, requireClientCertificate: false } });
  const find = { ...method, path: FIND_PATH, input: rawBytes, output: rawBytes };
  server.addService({ name: "floor", methods: { find } }, { find: () => reply });
  return (await server.listen({ hostname: "127.0.0.1", port: 0 })).port;
}

function startGrpcJs(reply: Uint8Array): Promise<number> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const codecs = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  const answer = Buffer.from(reply);
  const server = new Server();
  server.addService(
    { find: { ...method, ...codecs, path: FIND_PATH } },
    { find: (_call: unknown, respond: (error: null, value: Buffer) => void) => respond(null, answer) },
  );
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
  // Without an authority the library would send all the system's roots to the client.
  const credentials = ServerCredentials.createSsl(Buffer.from(ca), [pair], false);
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, port) => error ? reject(error) : resolve(port));
  });
}

await serveCommands({
  rest: startRest,
  grpc: (reply: string) => startGrpc(Uint8Array.fromBase64(reply)),
  grpcJs: (reply: string) => startGrpcJs(Uint8Array.fromBase64(reply)),
});
