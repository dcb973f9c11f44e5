import type { NetAddress, PeerInfo, Transport, TransportSink } from "./types.ts";

/** Sizes of the read buffer, in octets: small while a connection is quiet, large while it is not. */
const SMALL_READ_BYTES = 4_096;
const LARGE_READ_BYTES = 65_536;

/** What the adapters need of `Deno.TcpConn` and `Deno.TlsConn`. */
export interface DenoConnection {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** A transport over a connection of the runtime. */
export class DenoTransport implements Transport {
  readonly #connection: DenoConnection;
  readonly #handshake: (() => Promise<string | null>) | null;
  #peer: PeerInfo;
  #closed = false;

  /** @param handshake Does the TLS handshake and returns the protocol agreed on; null for plain TCP. */
  constructor(connection: DenoConnection, handshake: (() => Promise<string | null>) | null) {
    this.#connection = connection;
    this.#handshake = handshake;
    this.#peer = {
      transport: handshake === null ? "tcp" : "tls",
      remoteAddress: netAddress(connection.remoteAddr),
      localAddress: netAddress(connection.localAddr),
      alpn: null,
      certificate: null,
    };
  }

  get peer(): PeerInfo {
    return this.#peer;
  }

  start(sink: TransportSink): void {
    this.#run(sink).catch((error) => sink.end(error)); // What the sink throws is a fault of ours: the connection ends.
  }

  async #run(sink: TransportSink): Promise<void> {
    try {
      if (this.#handshake !== null) this.#peer = { ...this.#peer, alpn: await this.#handshake() };
    } catch (error) {
      return sink.end(error instanceof Error ? error : new Error(String(error)));
    }
    let buffer = new Uint8Array(SMALL_READ_BYTES);
    let quiet = 0;
    while (!this.#closed) {
      let count: number | null;
      try {
        count = await this.#connection.read(buffer);
      } catch (error) {
        return sink.end(this.#closed ? null : error as Error);
      }
      if (count === null) return sink.end(null);
      sink.data(buffer.subarray(0, count));
      if (count === buffer.length && count < LARGE_READ_BYTES) {
        buffer = new Uint8Array(LARGE_READ_BYTES);
        quiet = 0;
      } else if (buffer.length === LARGE_READ_BYTES) {
        quiet = count <= SMALL_READ_BYTES ? quiet + 1 : 0;
        // Sixteen small reads in a row: what keeps coming fits into little.
        if (quiet >= 16) buffer = new Uint8Array(SMALL_READ_BYTES);
      }
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(at === 0 ? bytes : bytes.subarray(at));
  }

  closeWrite(): void {
    // Fails when the peer was faster; then there is nothing left to say.
    this.#connection.closeWrite().catch(() => {});
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#connection.close();
    } catch {
      // The runtime has closed it already.
    }
  }
}

/** The runtime's address as ours. */
export function netAddress(address: Deno.Addr): NetAddress | null {
  return "hostname" in address ? { hostname: address.hostname, port: address.port } : null;
}
