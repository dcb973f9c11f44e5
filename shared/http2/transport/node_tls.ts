import { createPrivateKey, X509Certificate } from "node:crypto";
import { connect as tlsConnect, createServer, type TLSSocket } from "node:tls";
import { AlpnError } from "./deno_connect.ts";
import { NodeTlsTransport } from "./node_connection.ts";
import type { NetAddress, RenewableListener, Transport } from "./types.ts";

/** Where to listen, who we are, and what a client may cost before it is one. */
export interface ListenGuardedTlsOptions {
  /** @default "0.0.0.0" */
  readonly hostname?: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The certificate chain, PEM. */
  readonly cert: string;
  /** Its private key, PEM. */
  readonly key: string;
  /** Milliseconds for the TLS handshake. @default 10 000 */
  readonly handshakeTimeoutMs?: number;
  /** Connections at once, those in their handshake included. @default 20 000 */
  readonly maxConnections?: number;
  /** Hears of clients that did not get through the handshake, and why as far as the runtime tells. */
  readonly onRefused?: (error: Error, client: NetAddress | null) => void;
}

/** The same, and whose clients we admit. */
export interface ListenMutualTlsOptions extends ListenGuardedTlsOptions {
  /** The authorities whose clients are admitted, PEM. */
  readonly ca: readonly string[];
  /** Whether a client without a certificate is turned away in the handshake. @default true */
  readonly requireCertificate?: boolean;
}

/**
 * Listens for TLS on a public port, and drops clients that do not finish their handshake, which `listenTls` cannot: a little
 * more CPU time and memory for a port that strangers cannot block. Rejects when it cannot listen.
 */
export function listenGuardedTls(options: ListenGuardedTlsOptions): Promise<RenewableListener> {
  return listen(options, {});
}

/** Listens for mutual TLS; the peer's certificate stands in its {@linkcode PeerInfo}. Rejects when it cannot listen. */
export function listenMutualTls(options: ListenMutualTlsOptions): Promise<RenewableListener> {
  return listen(options, {
    ca: [...options.ca],
    requestCert: true,
    rejectUnauthorized: options.requireCertificate ?? true,
  });
}

function listen(
  options: ListenGuardedTlsOptions,
  clients: { ca?: string[]; requestCert?: boolean; rejectUnauthorized?: boolean },
): Promise<RenewableListener> {
  const server = createServer({
    cert: options.cert,
    key: options.key,
    ...clients,
    // HTTP/1.1 is offered so that its clients get through the handshake to an answer that they understand.
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: options.handshakeTimeoutMs ?? 10_000,
  });
  server.maxConnections = options.maxConnections ?? 20_000;
  // The runtime leaves the socket of a handshake that failed, or took too long, to its peer.
  server.on("tlsClientError", (error, socket) => {
    const { remoteAddress, remotePort } = socket;
    socket.destroy();
    const known = remoteAddress !== undefined && remotePort !== undefined;
    options.onRefused?.(error, known ? { hostname: remoteAddress, port: remotePort } : null);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.hostname ?? "0.0.0.0", () => {
      server.off("error", reject);
      server.on("error", () => {}); // One accept that failed (no file handles left) must not end the process.
      const { address, port } = server.address() as { address: string; port: number };
      resolve({
        address: { hostname: address, port },
        start: (onTransport) =>
          void server.on("secureConnection", (socket) => onTransport(new NodeTlsTransport(socket))),
        close: () => void server.close(),
        // deno-lint-ignore require-await -- What is thrown is to reject.
        async renew({ cert, key, ca }) {
          if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
            throw new TypeError("Key is not that of the certificate");
          }
          const authorities = ca === undefined ? clients.ca : [...ca];
          server.setSecureContext({ cert, key, ...(authorities === undefined ? {} : { ca: authorities }) });
        },
      });
    });
  });
}

/** Where to connect to, who we are, and what we expect. */
export interface ConnectNodeTlsOptions {
  readonly hostname: string;
  readonly port: number;
  /** Authorities to trust instead of those of the runtime, PEM. */
  readonly ca?: readonly string[];
  /** Our certificate chain, PEM. */
  readonly cert?: string;
  /** Its private key, PEM. */
  readonly key?: string;
  /** The name asked for in the handshake and expected in the certificate. @default hostname */
  readonly serverName?: string;
  /**
   * Looks at the server's certificate (DER, its own first; already verified against `ca`) instead of the check of its name.
   * Whatever it returns or throws is why the connection is refused; undefined accepts.
   */
  readonly checkServer?: (chain: readonly Uint8Array[]) => Error | undefined;
  /** Gives up the attempt. */
  readonly signal?: AbortSignal;
}

/** Octets that a client's socket reads at once. */
const READ_BYTES = 65_536;

/**
 * Connects over TLS with a check of the server of our own, such as for URI names.
 *
 * @throws {AlpnError} when the server does not speak HTTP/2.
 */
export function connectNodeTls(options: ConnectNodeTlsOptions): Promise<Transport> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(options.signal.reason);
    const { checkServer } = options;
    let transport: NodeTlsTransport | undefined;
    const early: Uint8Array[] = [];
    // The runtime takes 0.27 ms to make a buffer for each read of 64 KiB; into one of ours it reads eight times faster.
    const onread = {
      buffer: new Uint8Array(READ_BYTES),
      callback(count: number, buffer: Uint8Array): boolean {
        const bytes = buffer.subarray(0, count);
        if (transport === undefined) early.push(bytes.slice());
        else transport.received(bytes);
        return true;
      },
    };
    const isAddress = /^[\d.]+$|:/.test(options.hostname);
    const socket: TLSSocket = tlsConnect({
      host: options.hostname,
      port: options.port,
      servername: options.serverName ?? (isAddress ? "" : options.hostname),
      ca: options.ca === undefined ? undefined : [...options.ca],
      cert: options.cert,
      key: options.key,
      ALPNProtocols: ["h2"],
      ...{ onread },
      ...(checkServer === undefined ? {} : { checkServerIdentity: () => undefined }),
    });
    const refuse = (error: unknown) => {
      options.signal?.removeEventListener("abort", abort);
      socket.destroy();
      reject(error);
    };
    const abort = () => refuse(options.signal!.reason);
    options.signal?.addEventListener("abort", abort);
    socket.once("error", refuse);
    socket.once("secureConnect", () => {
      try {
        if (!socket.authorized) {
          throw socket.authorizationError ?? new Error("Certificate of the server could not be verified");
        }
        if (socket.alpnProtocol !== "h2") {
          throw new AlpnError(`Server at ${options.hostname}:${options.port} does not speak HTTP/2`);
        }
        transport = new NodeTlsTransport(socket, early);
        const problem = checkServer?.(transport.peer.certificate?.chain ?? []);
        if (problem !== undefined) throw problem;
        socket.off("error", refuse);
        options.signal?.removeEventListener("abort", abort);
        resolve(transport);
      } catch (error) {
        refuse(error);
      }
    });
  });
}
