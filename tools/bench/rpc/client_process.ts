// Clients of `bench:rpc`, many in one process. Argument: folder with the certificates.
import { connect, type TLSSocket } from "node:tls";
import type { Http2Client } from "../../../shared/http2/mod.ts";
import { type Channel, createChannel, createClient } from "../../../shared/rpc/mod.ts";
import { benchApi, encodeOrder, type Order, SMALL_BYTES } from "./api.ts";
import { call, dial, loadConnections, loadUnary, stall, type UnaryLoad, watch } from "./load.ts";
import { serveCommands, wallMs } from "./process.ts";

const [folder] = Deno.args as [string];
const read = (name: string): string => Deno.readTextFileSync(`${folder}/${name}.pem`);
const tls = { ca: read("ca"), cert: read("cert"), key: read("key") };
let port = 0;

const clients: Http2Client[] = [];
const sockets: TLSSocket[] = [];
/** Messages still to come, and when the one that ends the wait was made and seen. */
let awaited = 0;
let arrived = Promise.withResolvers<number>();

function channel(): Channel {
  return createChannel({ address: `127.0.0.1:${port}`, tls: { ...tls, serverName: "localhost" } });
}

function onPushed(stamp: number, messages: number): void {
  awaited -= messages;
  if (awaited === 0) arrived.resolve(wallMs() - stamp);
}

function stampOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getFloat64(0);
}

/** Octets that a bare socket reads at once, as our transport does: into one buffer, which is several times faster than events. */
const READ_BYTES = 65_536;

function openSocket(onData: (data: Uint8Array) => void): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const onread = {
      buffer: new Uint8Array(READ_BYTES),
      callback(count: number, buffer: Uint8Array) {
        onData(buffer.subarray(0, count));
        return true;
      },
    };
    const where = { host: "127.0.0.1", port, servername: "localhost", ...tls, ...{ onread } };
    const socket = connect(where, () => resolve(socket));
    socket.on("error", reject);
  });
}

/** A connection of the bare server that waits for pushes of small messages, and counts them. */
async function openWaiting(): Promise<TLSSocket> {
  let rest = 0;
  const socket = await openSocket((data) => {
    const whole = Math.floor((rest + data.length) / SMALL_BYTES);
    // Every message of a push carries the same stamp; the first stands where a message starts.
    if (rest === 0) stamp = stampOf(data);
    rest = (rest + data.length) % SMALL_BYTES;
    onPushed(stamp, whole);
  });
  socket.write(encodeOrder({ messages: 0, bytes: 0 }));
  return socket;
}
let stamp = 0;

await serveCommands({
  aim: (to: number) => void (port = to),
  unary: (load: UnaryLoad) => loadUnary({ port, ...tls }, load),
  churn: ({ connections, parallel }: { connections: number; parallel: number }) =>
    loadConnections({ port, ...tls }, connections, parallel),
  /** Reads an ordered stream of messages: ms from its first message to its last. */
  async stream(order: Order) {
    const open = channel();
    let begun = 0;
    let got = 0;
    for await (const _ of createClient(benchApi, open).stream(encodeOrder(order))) {
      got++;
      begun ||= performance.now();
    }
    const ms = performance.now() - begun;
    open.close();
    if (got !== order.messages) throw new Error(`${got} messages came instead of ${order.messages}`);
    return ms;
  },
  /** Reads the same bytes from a bare socket: ms from the first of them to the last. */
  async bareStream(order: Order) {
    let begun = 0;
    let left = order.messages * order.bytes;
    const done = Promise.withResolvers<void>();
    const socket = await openSocket((data) => {
      begun ||= performance.now();
      left -= data.length;
      if (left === 0) done.resolve();
    });
    socket.write(encodeOrder(order));
    await done.promise;
    const ms = performance.now() - begun;
    socket.destroy();
    return ms;
  },
  /** Connections that have made one call each. */
  async open(connections: number) {
    for (let i = 0; i < connections; i++) {
      const client = await dial({ port, ...tls });
      clients.push(client);
      await new Promise<boolean>((resolve) => call(client, resolve));
    }
  },
  /** Streams on each of them. */
  async watch(streams: number) {
    const onMessage = (message: Uint8Array): void => onPushed(stampOf(message), 1);
    for (const client of clients) {
      await Promise.all(Array.from({ length: streams }, () => watch(client, onMessage)));
    }
  },
  async openBare(connections: number) {
    for (let i = 0; i < connections; i++) sockets.push(await openWaiting());
  },
  expect(messages: number) {
    awaited = messages;
    arrived = Promise.withResolvers();
  },
  /** Delay from making a message to the last arrival of those expected, ms. */
  last: () => arrived.promise,
  async stall({ order, count, windowBytes }: { order: Order; count: number; windowBytes: number }) {
    clients.push(...await stall({ port, ...tls }, order, count, windowBytes));
  },
  leave() {
    for (const client of clients.splice(0)) client.close();
    for (const socket of sockets.splice(0)) socket.destroy();
  },
});
