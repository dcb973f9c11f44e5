import net from "node:net";
import tls from "node:tls";
import type { ListenAddress, ServerLimits, ServerTls } from "../transport.ts";
import { chainOf, type DetailedCertificate } from "../tls_chain.ts";

/** A connection that is ready for HTTP/2. */
export interface Accepted {
  readonly socket: net.Socket;
  /** DER, leaf first; absent when the client showed no certificate. */
  readonly certificates?: readonly Uint8Array[];
}

/** A listening socket. */
export interface Listener {
  readonly address: ListenAddress;
  updateTls(tls: ServerTls): void;
  /** Stops accepting. */
  stop(): void;
}

function contextOf(options: ServerTls): tls.TlsOptions {
  const requestCert = options.requireClientCertificate ?? options.ca !== undefined;
  if (requestCert && options.ca === undefined) {
    throw new TypeError("Client certificates need roots to lead to: ca is missing");
  }
  return {
    cert: options.cert,
    key: options.key,
    // Without a CA of ours the runtime would list the system's roots in a request of 16 KB that OpenSSL clients refuse.
    ca: options.ca ?? options.cert,
    requestCert,
    rejectUnauthorized: requestCert,
  };
}

/** Listens, with TLS when asked for, and hands up connections whose handshake is done. @throws when the address cannot be bound. */
export async function listen(
  where: ListenAddress,
  options: ServerTls | undefined,
  limits: ServerLimits,
  onAccept: (accepted: Accepted) => void,
  onError: (error: unknown) => void,
): Promise<Listener> {
  const server = options
    ? tls.createServer({ ...contextOf(options), ALPNProtocols: ["h2"], handshakeTimeout: limits.handshakeTimeoutMs })
    : net.createServer();
  server.maxConnections = limits.maxConnections;
  const take = (socket: net.Socket): void => {
    socket.setNoDelay(true);
    socket.on("error", onError);
    const certificate = socket instanceof tls.TLSSocket ? socket.getPeerCertificate(true) : undefined;
    const chain = chainOf(certificate as DetailedCertificate | undefined);
    onAccept({ socket, certificates: chain.length > 0 ? chain : undefined });
  };
  server.on(options ? "secureConnection" : "connection", take);
  server.on("tlsClientError", onError);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where.port, where.hostname, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", onError);
  const bound = server.address() as net.AddressInfo;
  return {
    address: { hostname: bound.address, port: bound.port },
    updateTls(next) {
      if (!(server instanceof tls.Server)) throw new TypeError("A plaintext server has no certificate to update");
      server.setSecureContext(contextOf(next));
    },
    stop: () => void server.close(),
  };
}
