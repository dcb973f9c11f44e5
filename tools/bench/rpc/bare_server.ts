import type { Buffer } from "node:buffer";
import { createServer, type TLSSocket } from "node:tls";
import type { Identity } from "../../../shared/rpc/conformance/certificates.ts";
import { decodeOrder, type Order, ORDER_BYTES } from "./api.ts";

/** A TLS server that writes what is ordered and nothing around it: the floor below a stream of messages. */
export interface BareServer {
  readonly port: number;
  /** Sockets that wait for pushes. */
  readonly waiting: number;
  /** Writes to every waiting socket, `times` times. */
  push(message: Uint8Array, times: number): void;
}

type Push = (message: Uint8Array) => void;

/** Serves over the runtime's own TLS, or with client certificates over `node:tls`, as our HTTP/2 server does. */
export function startBareServer(identity: Identity, ca: string, mutual: boolean): Promise<BareServer> {
  const waiting = new Set<Push>();
  const server = (port: number): BareServer => ({
    port,
    get waiting() {
      return waiting.size;
    },
    push(message, times) {
      for (const push of waiting) for (let i = 0; i < times; i++) push(message);
    },
  });
  if (!mutual) {
    const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...identity });
    serveDeno(listener, waiting);
    return Promise.resolve(server(listener.addr.port));
  }
  const { promise, resolve } = Promise.withResolvers<BareServer>();
  const listener = createServer({ ...identity, ca, requestCert: true, rejectUnauthorized: true });
  listener.on("secureConnection", (socket) => serveNode(socket, waiting));
  listener.listen(0, "127.0.0.1", () => resolve(server((listener.address() as { port: number }).port)));
  return promise;
}

async function serveDeno(listener: Deno.TlsListener, waiting: Set<Push>): Promise<void> {
  for await (const connection of listener) {
    runDeno(connection, waiting).catch(() => {}).finally(() => connection.close());
  }
}

async function runDeno(connection: Deno.TlsConn, waiting: Set<Push>): Promise<void> {
  const order = new Uint8Array(ORDER_BYTES);
  const push: Push = (message) => void connection.write(message).catch(() => waiting.delete(push));
  while (await connection.read(order) === ORDER_BYTES) {
    const { messages, bytes } = decodeOrder(order);
    if (messages === 0) waiting.add(push);
    const message = new Uint8Array(bytes);
    for (let i = 0; i < messages; i++) await writeAll(connection, message);
  }
  waiting.delete(push);
}

async function writeAll(connection: Deno.TlsConn, message: Uint8Array): Promise<void> {
  for (let at = 0; at < message.length;) at += await connection.write(message.subarray(at));
}

function serveNode(socket: TLSSocket, waiting: Set<Push>): void {
  socket.setNoDelay(true);
  const push: Push = (message) => void socket.write(message);
  socket.on("error", () => {});
  socket.on("close", () => waiting.delete(push));
  socket.on("data", (data: Buffer) => {
    const order = decodeOrder(data);
    if (order.messages === 0) waiting.add(push);
    else writeNode(socket, order).catch(() => {});
  });
}

async function writeNode(socket: TLSSocket, { messages, bytes }: Order): Promise<void> {
  const message = new Uint8Array(bytes);
  for (let i = 0; i < messages && !socket.destroyed; i++) {
    if (!socket.write(message)) await new Promise<void>((resolve) => socket.once("drain", resolve));
  }
}
