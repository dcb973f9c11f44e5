import {
  type HeaderList,
  type Http2Server,
  type Http2Stream,
  type Listener,
  listenGuardedTls,
  listenMutualTls,
  listenTcp,
  type RenewableListener,
  serve as serveHttp2,
} from "../../http2/mod.ts";
import { Status } from "../status.ts";
import { Metadata } from "../metadata.ts";
import type { ListenAddress, ServeOptions, ServerTransport, TransportServer } from "../transport.ts";
import { fieldOf, parseTimeout } from "./headers.ts";
import { H2ServerCall } from "./server_call.ts";

/** A client did not get through the TLS handshake; servers hear of it by `onError`. */
export class HandshakeRefusedError extends Error {
  override readonly name = "HandshakeRefusedError";
}

/** gRPC server over `shared/http2`. */
export const h2ServerTransport: ServerTransport = { name: "http2", serve };

/** Draining is bounded above, by whoever drains; the connection's own bound must not cut in before, ms. */
const DRAIN_LIMIT_MS = 3_600_000;
/** One message may always be queued, however large its sender makes it. */
const MAX_QUEUED_BYTES = 1 << 30;

/** A port with the HTTP/2 server on it. */
interface Port {
  readonly server: Http2Server;
  readonly renewable?: RenewableListener;
}

function serve(options: ServeOptions): TransportServer {
  const { limits, onError } = options;
  const ports: Port[] = [];
  let tls = options.tls;

  function handler(stream: Http2Stream): void | Promise<void> {
    return accept(stream, options);
  }

  function start(listener: Listener): Http2Server {
    return serveHttp2(listener, {
      handler,
      onError: (error) => onError(error),
      limits: {
        maxConcurrentStreams: limits.maxConcurrentStreams,
        maxConnections: limits.maxConnections,
        keepaliveIntervalMs: limits.keepaliveMs,
        keepaliveTimeoutMs: limits.keepaliveTimeoutMs,
        handshakeTimeoutMs: limits.handshakeTimeoutMs,
        drainTimeoutMs: DRAIN_LIMIT_MS,
        maxQueuedBytesPerStream: MAX_QUEUED_BYTES,
      },
    });
  }

  async function open(where: ListenAddress): Promise<{ listener: Listener; renewable?: RenewableListener }> {
    if (tls === undefined) return { listener: listenTcp(where) };
    const bounds = { handshakeTimeoutMs: limits.handshakeTimeoutMs, maxConnections: limits.maxConnections };
    const clientCertificates = tls.requireClientCertificate ?? tls.ca !== undefined;
    if (!clientCertificates) {
      // Not `listenTls`: its sockets lack TCP_NODELAY, and the end of a write of more than 16 KiB waits 44 ms.
      const renewable = await listenGuardedTls({ ...where, cert: tls.cert, key: tls.key, ...bounds });
      return { listener: renewable, renewable };
    }
    if (tls.ca === undefined) throw new TypeError("Client certificates need roots to lead to: ca is missing");
    const renewable = await listenMutualTls({
      ...where,
      cert: tls.cert,
      key: tls.key,
      ca: [tls.ca],
      ...bounds,
      onRefused: (cause, client) => {
        const from = client === null ? "" : ` from ${client.hostname}`;
        const why = /hang up|reset/i.test(cause.message)
          ? "the handshake broke off, its certificate may not verify"
          : cause.message;
        onError(new HandshakeRefusedError(`Connection${from} refused: ${why}`, { cause }));
      },
    });
    return { listener: renewable, renewable };
  }

  return {
    addMethod() {},
    async listen(where) {
      const { listener, renewable } = await open(where);
      ports.push({ server: start(listener), renewable });
      return listener.address;
    },
    updateTls(next) {
      if (tls === undefined) throw new TypeError("A plaintext server has no certificate to update");
      tls = next;
      const identity = { ...next, ca: next.ca === undefined ? undefined : [next.ca] };
      for (const { renewable } of ports) renewable?.renew(identity).catch(onError);
    },
    goAway() {
      for (const { server } of ports) server.shutdown();
    },
    async close(lingerMs) {
      const servers = ports.map((port) => port.server);
      const gone = Promise.all(servers.map((server) => server.shutdown()));
      if (lingerMs > 0) {
        const limit = Promise.withResolvers<void>();
        const timer = setTimeout(limit.resolve, lingerMs);
        await Promise.race([gone, limit.promise]);
        clearTimeout(timer);
      }
      for (const server of servers) server.close();
    },
  };
}

/** What a header list says of a call. */
interface Request {
  /** Whether it is a call of gRPC at all. */
  readonly grpc: boolean;
  readonly path: string;
  readonly timeout: string | undefined;
  readonly encoding: string;
}

/** Lists that repeat on a connection are one object: each is looked through once. */
const requests = new WeakMap<HeaderList, Request>();

function requestOf(headers: HeaderList): Request {
  let request = requests.get(headers);
  if (request === undefined) {
    const type = fieldOf(headers, "content-type") ?? "";
    request = {
      grpc: fieldOf(headers, ":method") === "POST" && /^application\/grpc(\+|;|$)/.test(type),
      path: fieldOf(headers, ":path") ?? "",
      timeout: fieldOf(headers, "grpc-timeout"),
      encoding: fieldOf(headers, "grpc-encoding") ?? "identity",
    };
    requests.set(headers, request);
  }
  return request;
}

/** Hands a request up as a call, or answers what is no call. The promise is open while the call's work is. */
function accept(stream: Http2Stream, options: ServeOptions): void | Promise<void> {
  const { grpc, path, timeout, encoding } = requestOf(stream.headers);
  if (!grpc) return refuseForeign(stream);
  let deadline: number | undefined;
  let refusal: string | undefined;
  try {
    const timeoutMs = parseTimeout(timeout);
    if (timeoutMs !== undefined) deadline = options.clock.now() + timeoutMs;
  } catch (error) {
    refusal = (error as Error).message;
  }
  const call = new H2ServerCall(stream, path, deadline, options.limits.maxMessageBytes);
  if (refusal !== undefined) {
    call.finish({ code: Status.INTERNAL, message: refusal, trailers: new Metadata() });
  } else if (encoding !== "identity" && encoding !== "gzip") {
    call.finish({
      code: Status.UNIMPLEMENTED,
      message: `grpc-encoding ${encoding} is not supported, only identity and gzip are`,
      trailers: new Metadata(),
    });
  } else {
    return options.onCall(call);
  }
}

/** What a request that is no call may send before it is answered, in octets. */
const MAX_FOREIGN_BODY_BYTES = 65_536;
const FOREIGN_ANSWER = new TextEncoder().encode("This port speaks gRPC: POST with content-type application/grpc.\n");

/** Tells whoever sent no call what this port is; behind the request's end, so that what is wrong with the request comes first. */
function refuseForeign(stream: Http2Stream): void {
  stream.collect(MAX_FOREIGN_BODY_BYTES, () => {
    if (stream.closed) return;
    stream.respond([[":status", "415"], ["content-type", "text/plain"]]);
    stream.end(FOREIGN_ANSWER);
  });
}
