import type { TLSSocket } from "node:tls";
import type { NetAddress, PeerCertificate, PeerInfo, Transport, TransportSink } from "./types.ts";

/** Certificates of a chain that are handed up; real chains have two to four. */
const MAX_CHAIN = 8;

/** A transport over a socket of `node:tls` whose handshake is done. */
export class NodeTlsTransport implements Transport {
  readonly peer: PeerInfo;
  readonly #socket: TLSSocket;
  #sink: TransportSink | null = null;
  #failure: Error | null = null;
  #ended = false;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    this.peer = {
      transport: "tls",
      remoteAddress: address(socket.remoteAddress, socket.remotePort),
      localAddress: address(socket.localAddress, socket.localPort),
      alpn: socket.alpnProtocol || null,
      certificate: peerCertificate(socket),
    };
    // A socket whose errors nobody hears ends the process.
    socket.on("error", (error) => this.#failure = error);
    socket.on("close", () => this.#end(this.#failure));
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
    if (this.#ended) return sink.end(this.#failure);
    // As a plain array: the `slice` of a Node buffer is a view, and what is kept of it must be a copy.
    this.#socket.on("data", ({ buffer, byteOffset, length }: Uint8Array) => {
      this.#sink?.data(new Uint8Array(buffer, byteOffset, length));
    });
    this.#socket.on("end", () => this.#end(null));
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended || this.#socket.destroyed) return reject(this.#failure ?? new Error("Socket is closed"));
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  closeWrite(): void {
    this.#socket.end();
  }

  close(): void {
    this.#sink = null;
    this.#ended = true;
    this.#socket.destroy();
  }

  #end(error: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    const sink = this.#sink;
    this.#sink = null;
    sink?.end(error);
  }
}

function address(hostname: string | undefined, port: number | undefined): NetAddress | null {
  return hostname === undefined || port === undefined ? null : { hostname, port };
}

/** The chain that the peer showed, or null. */
function peerCertificate(socket: TLSSocket): PeerCertificate | null {
  const chain: Uint8Array[] = [];
  let certificate = socket.getPeerCertificate(true);
  while (certificate?.raw && chain.length < MAX_CHAIN) {
    chain.push(new Uint8Array(certificate.raw));
    const issuer = certificate.issuerCertificate;
    if (issuer === undefined || issuer === certificate || issuer.fingerprint256 === certificate.fingerprint256) break;
    certificate = issuer;
  }
  return chain.length === 0 ? null : { chain, verified: socket.authorized };
}
