// The parent of `bench:notify`: a hub, and a bare stream on the same server. Argument: folder with the certificates.
import { listenMutualTls, type Transport } from "../../../shared/http2/mod.ts";
import { createNotifyHub, encodeCounter } from "../../../shared/notify/mod.ts";
import { createServer } from "../../../shared/rpc/mod.ts";
import { bareApi, type BareRequest } from "./bare.ts";
import { instance } from "./instances.ts";
import { serveCommands, wallMs } from "./process.ts";

const [folder] = Deno.args as [string];
const read = (name: string): string => Deno.readTextFileSync(`${folder}/${name}`);
const hub = createNotifyHub({ service: "controller", region: "eu", kinds: ["AppInst", "App"] });
hub.markReady();
const server = createServer({ tls: { cert: read("cert.pem"), key: read("key.pem"), ca: read("ca.pem") } });
hub.serve(server, () => ({}));

const bareTransports = new Set<Transport>();
/** Streams that wait for a push. */
const waiting = new Set<(message: Uint8Array) => void>();

server.addService(bareApi, {
  async *stream(requests) {
    for await (const request of requests) {
      const { messages, bytes } = JSON.parse(new TextDecoder().decode(request)) as BareRequest;
      const message = new Uint8Array(bytes);
      for (let i = 0; i < messages; i++) yield message;
      // The first message tells the reader that it is in place; what is pushed later follows.
      if (messages === 1) { for (;;) yield await new Promise<Uint8Array>((resolve) => waiting.add(resolve)); }
    }
  },
});
const { port } = await server.listen({ hostname: "127.0.0.1", port: 0 });

function status(field: string): number {
  const text = Deno.readTextFileSync("/proc/self/status");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)![1]) * 1_024;
}

/** Collects until it helps no more, so that what is read is held and not merely not yet freed. */
async function settle(): Promise<void> {
  const { gc } = globalThis as { gc?: () => void };
  for (let i = 0; i < 5; i++) {
    gc?.();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

await serveCommands({
  port: () => port,
  /** A port that does mutual TLS and nothing else; its connections are the floor of what children cost. */
  async bareTls() {
    const tls = { cert: read("cert.pem"), key: read("key.pem"), ca: [read("ca.pem")] };
    const listener = await listenMutualTls({ hostname: "127.0.0.1", port: 0, ...tls });
    listener.start((transport) => {
      bareTransports.add(transport);
      transport.start({ data() {}, end: () => void bareTransports.delete(transport) });
    });
    return listener.address.port;
  },
  bareTlsConnections: () => bareTransports.size,
  fill(count: number) {
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      const { key, value } = instance(i);
      hub.publish("AppInst", key, value);
      bytes += value.length;
    }
    return bytes;
  },
  /** One change for everybody; its value is when it was made. */
  change() {
    const before = encodeCounter.entries;
    const value = new Uint8Array(200);
    new DataView(value.buffer).setFloat64(0, wallMs());
    hub.publish("App", "app", value);
    return encodeCounter.entries - before;
  },
  push(bytes: number) {
    const message = new Uint8Array(bytes);
    new DataView(message.buffer).setFloat64(0, wallMs());
    const streams = [...waiting];
    waiting.clear();
    for (const push of streams) push(message);
    return streams.length;
  },
  waiting: () => waiting.size,
  streams() {
    const sum = { streams: 0, frames: 0, bytes: 0, snapshots: 0, resumes: 0, inStep: 0 };
    for (const stream of hub.streams()) {
      sum.streams++;
      sum.frames += stream.sentFrames;
      sum.bytes += stream.sentBytes;
      sum.snapshots += stream.snapshots;
      sum.resumes += stream.resumes;
      if (stream.kinds.every((kind) => kind.inStep)) sum.inStep++;
    }
    return sum;
  },
  resetPeak: () => Deno.writeTextFileSync("/proc/self/clear_refs", "5"),
  peak: () => status("VmHWM"),
  async memory() {
    await settle();
    const { heapUsed, external } = Deno.memoryUsage();
    return { resident: status("VmRSS"), held: heapUsed + external };
  },
});
