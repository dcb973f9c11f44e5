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
  /** Octets of a socket that hands them to {@linkcode received}, from before the start; null where they come as events. */
  #early: Uint8Array[] | null;

  /** @param early What has come so far on a socket whose octets go to {@linkcode NodeTlsTransport.received}; by default they come as events. */
  constructor(socket: TLSSocket, early: Uint8Array[] | null = null) {
    this.#socket = socket;
    this.#early = early;
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
    if (this.#early !== null) {
      const early = this.#early;
      this.#early = null;
      for (const bytes of early) this.#sink?.data(bytes);
      if (this.#ended) return sink.end(this.#failure);
      this.#socket.on("end", () => this.#end(null));
      this.#socket.resume();
      return;
    }
    if (this.#ended) return sink.end(this.#failure);
    // As a plain array: the `slice` of a Node buffer is a view, and what is kept of it must be a copy.
    this.#socket.on("data", ({ buffer, byteOffset, length }: Uint8Array) => {
      this.#sink?.data(new Uint8Array(buffer, byteOffset, length));
    });
    this.#socket.on("end", () => this.#end(null));
  }

  /** Octets that the socket has read into its buffer; they are only lent. */
  received(bytes: Uint8Array): void {
    if (this.#early !== null) this.#early.push(bytes.slice());
    else this.#sink?.data(bytes);
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
