import { type ConnectionInjector, Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { RpcError } from "../error.ts";
import { Status } from "../status.ts";
import type { CallEnd, IncomingCall, ServeOptions, ServerTransport, TransportServer } from "../transport.ts";
import { fromGrpc, passBytes, toGrpc } from "./convert.ts";
import { type Accepted, listen, type Listener } from "./listener.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** Any of the library's calls: every method is served as a stream both ways, the core above knows better. */
type Stream = ServerDuplexStream<Uint8Array, Uint8Array>;

/** How often the connections of a closing server are looked at, ms. */
const CLOSE_POLL_MS = 10;

/** gRPC server over @grpc/grpc-js; sockets and TLS are ours, so that certificates can be read and replaced. */
export const grpcJsServerTransport: ServerTransport = { name: "grpc-js", serve };

function serve(options: ServeOptions): TransportServer {
  const { limits, onCall, onError } = options;
  const server = new Server({
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": limits.maxConcurrentStreams,
    "grpc.keepalive_time_ms": limits.keepaliveMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
  });
  const injector: ConnectionInjector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const connections = new Map<string, Accepted>();
  const listeners: Listener[] = [];
  let tls = options.tls;

  function accept(accepted: Accepted): void {
    const { socket } = accepted;
    const name = `${socket.remoteAddress}:${socket.remotePort}`;
    connections.set(name, accepted);
    socket.once("close", () => connections.delete(name));
    injector.injectConnection(socket);
  }

  function incoming(path: string, stream: Stream): IncomingCall {
    const reader = new Reader(stream);
    const writer = new Writer(stream);
    const peer = stream.getPeer();
    const colon = peer.lastIndexOf(":");
    const deadline = stream.getDeadline();
    const deadlineMs = deadline instanceof Date ? deadline.getTime() : deadline;
    const metadata = fromGrpc(stream.metadata);
    let listener: ((reason: RpcError) => void) | undefined;
    let aborted: RpcError | undefined;
    stream.on("cancelled", () => {
      aborted ??= new RpcError(Status.CANCELLED, "The caller has gone");
      reader.stop();
      writer.stop();
      listener?.(aborted);
    });
    stream.on("error", () => writer.stop());
    return {
      path,
      metadata,
      header: (name: string) => metadata.get(name) as string | undefined,
      peer: {
        address: peer.slice(0, colon),
        port: Number(peer.slice(colon + 1)),
        certificates: connections.get(peer)?.certificates,
      },
      deadline: Number.isFinite(deadlineMs) ? deadlineMs : undefined,
      async read() {
        const message = await reader.read();
        if (aborted) throw aborted;
        return message;
      },
      sendHeaders: (metadata) => stream.sendMetadata(toGrpc(metadata)),
      write: (message) => writer.write(message),
      finish(end) {
        if (!writer.over) finish(stream, writer, end);
        writer.stop();
        reader.stop();
      },
      cut() {
        writer.stop();
        reader.stop();
        stream.emit("error", { code: Status.RESOURCE_EXHAUSTED, details: "The caller takes nothing" });
      },
      onAbort(next) {
        listener = next;
        if (aborted) next(aborted);
      },
    };
  }

  return {
    addMethod(path) {
      server.register(path, (stream: Stream) => onCall(incoming(path, stream)), passBytes, (bytes) => bytes, "bidi");
    },
    async listen(where) {
      const listener = await listen(where, tls, limits, accept, onError);
      listeners.push(listener);
      return listener.address;
    },
    updateTls(next) {
      tls = next;
      for (const listener of listeners) listener.updateTls(next);
    },
    goAway() {
      for (const listener of listeners) listener.stop();
      injector.drain(limits.keepaliveTimeoutMs);
    },
    async close(lingerMs) {
      for (const listener of listeners) listener.stop();
      injector.drain(lingerMs);
      const until = Date.now() + lingerMs;
      while (connections.size > 0 && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
      }
      injector.destroy();
      server.forceShutdown();
      for (const { socket } of connections.values()) socket.destroy();
    },
  };
}

function finish(stream: Stream, writer: Writer, end: CallEnd): void {
  const metadata = toGrpc(end.trailers, end.details);
  if (end.code === Status.OK) stream.end(metadata);
  // The library would let an error overtake messages that it has not taken yet.
  else writer.flushed(() => stream.emit("error", { code: end.code, details: end.message, metadata }));
}
