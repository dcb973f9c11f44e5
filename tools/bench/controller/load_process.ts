// The load of `bench:controller`. Argument: folder with the certificates of a caller.
import {
  type Channel,
  createChannel,
  createClient,
  type Method,
  rawBytes,
  type Service,
} from "../../../shared/rpc/mod.ts";
import { AppApi, AppInst, AppInstApi, AppKind, Flavor, FlavorApi, FlavorKind } from "../../../shared/schema/mod.ts";
import { openStore } from "../../../shared/store/mod.ts";
import { encodeObject } from "../../../tiers/regional/controller/state/rows.ts";
import { benchApi, encodeOrder } from "../rpc/api.ts";
import { serveCommands } from "../rpc/process.ts";
import { type CreatedKind, fill, newApp, newFlavor } from "./objects.ts";

const [folder] = Deno.args as [string];
const read = (name: string): string => Deno.readTextFileSync(`${folder}/${name}.pem`);
// Both ends trust each other by the authority; which service it is does not matter here.
const tls = { ca: read("ca"), cert: read("cert"), key: read("key"), verifyPeer: () => {} };

let channel: Channel;
let names = 0;

/** Runs `work` so many times, so many of them at once. Gives how long each took, ms, and all together. */
async function inParallel(
  count: number,
  inFlight: number,
  work: () => Promise<unknown>,
): Promise<{ ms: number; each: number[] }> {
  const each: number[] = [];
  let left = count;
  const begun = performance.now();
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, async () => {
    while (left-- > 0) {
      const before = performance.now();
      await work();
      each.push(performance.now() - before);
    }
  }));
  return { ms: performance.now() - begun, each };
}

/** The same call with its answers left as bytes. */
function rawStream(api: typeof AppInstApi): Service & { methods: { show: RawStream } } {
  return { name: api.name, methods: { show: { ...api.methods.showAppInst, output: rawBytes } as RawStream } };
}
type RawStream = Method<AppInst, Uint8Array> & { readonly requestStream: false; readonly responseStream: true };

interface Load {
  readonly kind: CreatedKind;
  readonly count: number;
  readonly inFlight: number;
}

await serveCommands({
  fill: async ({ url, from, to }: { url: string; from: number; to: number }) => {
    const store = await openStore(url);
    await fill(store, from, to);
    await store.close();
  },
  /** Transactions of the bare driver as a creation makes them: that the key is free, and the row. */
  raw: async ({ url, kind, count, inFlight }: Load & { url: string }) => {
    const store = await openStore(url);
    const run = () => {
      const name = `raw-${names++}`;
      const [key, value] = kind === "app"
        ? [AppKind.keyString(newApp(name).key), encodeObject(AppKind, newApp(name))]
        : [FlavorKind.keyString({ name }), encodeObject(FlavorKind, newFlavor(name))];
      const path = `/bench/${kind}/${key}`;
      return store.transact([{ key: path, target: "modRevision", op: "=", value: 0 }], [{
        type: "put",
        key: path,
        value,
      }]);
    };
    await inParallel(inFlight, inFlight, run);
    const { ms } = await inParallel(count, inFlight, run);
    await store.close();
    return ms;
  },
  /** Connects, and waits until calls are answered. */
  aim: async ({ port }: { port: number }) => {
    channel?.close();
    channel = createChannel({ address: `127.0.0.1:${port}`, tls, backoff: { initialMs: 20, maxMs: 20 } });
    const deadline = performance.now() + 120_000;
    const flavors = createClient(FlavorApi, channel);
    for (;;) {
      try {
        for await (const _ of flavors.showFlavor(Flavor.create())) break;
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  },
  create: ({ kind, count, inFlight }: Load) => {
    const apps = createClient(AppApi, channel);
    const flavors = createClient(FlavorApi, channel);
    const prefix = `new-${names++}`;
    return inParallel(
      count,
      inFlight,
      () =>
        kind === "app"
          ? apps.createApp(newApp(`${prefix}-${names++}`))
          : flavors.createFlavor(newFlavor(`${prefix}-${names++}`)),
    );
  },
  /** Reads all instances, their bytes left as they are: ms, from the call to its end. */
  show: async () => {
    const client = createClient(rawStream(AppInstApi), channel);
    let [objects, bytes] = [0, 0];
    const begun = performance.now();
    for await (const message of client.show(AppInst.create())) {
      objects++;
      bytes += message.length;
    }
    return { ms: performance.now() - begun, objects, bytes };
  },
  /** Reads as many messages of as many bytes from a server that does nothing else. */
  bare: async ({ port, messages, bytes }: { port: number; messages: number; bytes: number }) => {
    const to = createChannel({ address: `127.0.0.1:${port}`, tls });
    const client = createClient(benchApi, to);
    let got = 0;
    // The show's connection is there already, so this one is made before the time is taken.
    for await (const _ of client.stream(encodeOrder({ messages: 1, bytes }))) got++;
    const begun = performance.now();
    for await (const _ of client.stream(encodeOrder({ messages, bytes }))) got++;
    const ms = performance.now() - begun;
    to.close();
    if (got !== messages + 1) throw new Error(`${got - 1} messages came instead of ${messages}`);
    return ms;
  },
});
