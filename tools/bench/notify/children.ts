// Children of `bench:notify`, many in one process. Argument: folder with the certificates.
import { connectNodeTls, type Transport } from "../../../shared/http2/mod.ts";
import { createNotifyClient, type NotifyClient } from "../../../shared/notify/mod.ts";
import { type Channel, createChannel, createClient } from "../../../shared/rpc/mod.ts";
import { bareApi, type BareRequest } from "./bare.ts";
import { serveCommands, wallMs } from "./process.ts";
import { ThinChild } from "./thin_child.ts";

const [folder] = Deno.args as [string];
const read = (name: string): string => Deno.readTextFileSync(`${folder}/${name}`);
const tls = { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem"), serverName: "localhost" };
let port = 0;
const channel = (): Channel => createChannel({ address: `127.0.0.1:${port}`, tls });

const clients: NotifyClient[] = [];
const bareChannels: Channel[] = [];
const thin: ThinChild[] = [];
const bareTls: Transport[] = [];
/** Delays between a change and its arrival at each child, ms. */
let delays: number[] = [];
let awaited = 0;
let expected = Promise.withResolvers<void>();

function arrived(message: Uint8Array): void {
  delays.push(wallMs() - new DataView(message.buffer, message.byteOffset).getFloat64(0));
  if (delays.length === awaited) expected.resolve();
}

function child(wants: string[]): NotifyClient {
  return createNotifyClient({ service: "dme", region: "eu", wants, connect: channel });
}

async function* requests(request: BareRequest, until: Promise<void>): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(JSON.stringify(request));
  await until;
}

await serveCommands({
  aim: (to: number) => void (port = to),
  /** A full copy by one child: ms from the first frame after the hello until it is in step. */
  async snapshot(objects: number) {
    const client = child(["AppInst"]);
    let begun = 0;
    client.onState((state) => {
      if (state === "syncing") begun ||= performance.now();
    });
    client.start();
    await client.whenInStep();
    const ms = performance.now() - begun;
    if (client.replica("AppInst").size !== objects) throw new Error("The copy is not whole");
    const { received } = client.info();
    await client.stop();
    return { ms, frames: received.frames, bytes: received.bytes };
  },
  /** The same bytes in as many messages over a bare stream: ms from when the stream stands until the last one. */
  async bare(request: BareRequest) {
    const open = channel();
    const done = Promise.withResolvers<void>();
    async function* gated(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(JSON.stringify({ messages: 2, bytes: 1 }));
      await greeted.promise;
      yield* requests(request, done.promise);
    }
    const greeted = Promise.withResolvers<void>();
    let begun = 0;
    let got = 0;
    for await (const _ of createClient(bareApi, open).stream(gated())) {
      got++;
      if (got === 2) {
        begun = performance.now();
        greeted.resolve();
      }
      if (got === request.messages + 2) break;
    }
    const ms = performance.now() - begun;
    done.resolve();
    open.close();
    return ms;
  },
  async watch(count: number) {
    for (let i = 0; i < count; i++) {
      const client = child(["App"]);
      client.replica("App").subscribe({ update: (_key, value) => arrived(value) });
      clients.push(client);
      client.start();
      await client.whenInStep();
    }
  },
  async watchBare(count: number) {
    for (let i = 0; i < count; i++) {
      const open = channel();
      bareChannels.push(open);
      const first = Promise.withResolvers<void>();
      (async () => {
        let greeted = false;
        const forever = new Promise<void>(() => {});
        for await (
          const message of createClient(bareApi, open).stream(requests({ messages: 1, bytes: 8 }, forever))
        ) {
          if (greeted) arrived(message);
          greeted = true;
          first.resolve();
        }
      })().catch(() => {});
      await first.promise;
    }
  },
  expect(whom: "clients" | "bare") {
    awaited = whom === "clients" ? clients.length : bareChannels.length;
    delays = [];
    expected = Promise.withResolvers();
  },
  async delays() {
    await expected.promise;
    return delays;
  },
  async leave() {
    await Promise.all(clients.splice(0).map((client) => client.stop()));
    for (const open of bareChannels.splice(0)) open.close();
    for (const each of thin.splice(0)) each.cut();
    for (const each of bareTls.splice(0)) each.close();
  },
  /** Connections of mutual TLS that carry nothing. */
  async holdTls({ count, port, together }: { count: number; port: number; together: boolean }) {
    const { serverName, cert, key, ca } = tls;
    const open = async (): Promise<void> => {
      const transport = await connectNodeTls({ hostname: "127.0.0.1", port, ca: [ca], cert, key, serverName });
      transport.start({ data() {}, end() {} });
      bareTls.push(transport);
    };
    if (together) await Promise.all(Array.from({ length: count }, open));
    else for (let i = 0; i < count; i++) await open();
  },
  /** Children that know where they stand and keep nothing. */
  async thin({ count, held }: { count: number; held?: { epoch: string; revision: number } }) {
    for (let i = 0; i < count; i++) {
      const each = new ThinChild(channel, "AppInst", held);
      thin.push(each);
      await each.connect();
    }
    return thin[0]?.held;
  },
  cut() {
    for (const each of thin) each.cut();
  },
  /** All come back at the same moment; ms until the last is in step again. */
  async storm() {
    const begun = performance.now();
    await Promise.all(thin.map((each) => each.connect()));
    return performance.now() - begun;
  },
});
