// A server of `bench:rpc`, one kind a process. Argument: folder with the certificates.
import { Buffer } from "node:buffer";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { createServer } from "../../../shared/rpc/mod.ts";
import { benchApi, decodeOrder, type ServerKind, SMALL_BYTES, UNARY_BYTES } from "./api.ts";
import { type BareServer, startBareServer } from "./bare_server.ts";
import { serveCommands, wallMs } from "./process.ts";

const [folder] = Deno.args as [string];
const read = (name: string): string => Deno.readTextFileSync(`${folder}/${name}.pem`);
const identity = { cert: read("cert"), key: read("key") };
const ca = read("ca");
const answer = new Uint8Array(UNARY_BYTES);

/** Streams that wait for a push. */
let waiting: ((message: Uint8Array) => void)[] = [];
/** Bytes that handlers of streams have handed over. */
let handedOver = 0;
let bare: BareServer | undefined;

async function startOurs(mutual: boolean): Promise<number> {
  const server = createServer({ tls: { ...identity, ca: mutual ? ca : undefined } });
  server.addService(benchApi, {
    unary: () => answer,
    async *stream(request) {
      const { messages, bytes } = decodeOrder(request);
      const message = new Uint8Array(bytes);
      for (let i = 0; i < messages; i++) {
        handedOver += bytes;
        yield message;
      }
    },
    async *watch(_request, { signal }) {
      yield new Uint8Array(SMALL_BYTES);
      while (!signal.aborted) yield await new Promise<Uint8Array>((resolve) => waiting.push(resolve));
    },
  });
  return (await server.listen({ hostname: "127.0.0.1", port: 0 })).port;
}

function startGrpcJs(mutual: boolean): Promise<number> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const server = new Server();
  const reply = Buffer.from(answer);
  server.addService({
    unary: {
      path: benchApi.methods.unary.path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  }, { unary: (_call: unknown, respond: (error: null, value: Buffer) => void) => respond(null, reply) });
  const pair = { private_key: Buffer.from(identity.key), cert_chain: Buffer.from(identity.cert) };
  // Without an authority the library would send all the system's roots to the client, which OpenSSL refuses.
  const credentials = ServerCredentials.createSsl(Buffer.from(ca), [pair], mutual);
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, port) => error ? reject(error) : resolve(port));
  });
}

async function startBare(mutual: boolean): Promise<number> {
  bare = await startBareServer(identity, ca, mutual);
  return bare.port;
}

await serveCommands({
  start({ kind, mutual }: ServerKind) {
    switch (kind) {
      case "ours":
        return startOurs(mutual);
      case "grpc-js":
        return startGrpcJs(mutual);
      case "bare":
        return startBare(mutual);
    }
  },
  waiting: () => bare?.waiting ?? waiting.length,
  /** One message to all that wait; it carries the time at which it was made. */
  push(times: number) {
    const message = new Uint8Array(SMALL_BYTES);
    const streams = waiting;
    waiting = [];
    new DataView(message.buffer).setFloat64(0, wallMs());
    if (bare) return bare.push(message, times);
    for (const resolve of streams) resolve(message);
  },
  handedOver: () => handedOver,
  /** Collects until it helps no more, so that the memory read next is held and not merely not yet freed. */
  async settle() {
    const { gc } = globalThis as { gc?: () => void };
    for (let i = 0; i < 3; i++) {
      gc?.();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  },
});
