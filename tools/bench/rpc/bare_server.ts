import type { Buffer } from "node:buffer";
import { createServer, type TLSSocket } from "node:tls";
import type { Identity } from "../../../shared/rpc/conformance/certificates.ts";
import { decodeOrder, type Order } from "./api.ts";

/** A TLS server that writes what is ordered and nothing around it: the floor below a stream of messages. */
export interface BareServer {
  readonly port: number;
  /** Sockets that wait for pushes. */
  readonly waiting: number;
  /** Writes to every waiting socket, `times` times. */
  push(message: Uint8Array, times: number): void;
}

type Push = (message: Uint8Array) => void;

/** Serves over `node:tls`, as our HTTP/2 server does. */
export function startBareServer(identity: Identity, ca: string, mutual: boolean): Promise<BareServer> {
  const waiting = new Set<Push>();
  const { promise, resolve } = Promise.withResolvers<BareServer>();
  const clients = mutual ? { ca, requestCert: true, rejectUnauthorized: true } : {};
  const listener = createServer({ ...identity, ...clients });
  listener.on("secureConnection", (socket) => serveNode(socket, waiting));
  listener.listen(0, "127.0.0.1", () => {
    resolve({
      port: (listener.address() as { port: number }).port,
      get waiting() {
        return waiting.size;
      },
      push(message, times) {
        for (const push of waiting) for (let i = 0; i < times; i++) push(message);
      },
    });
  });
  return promise;
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
