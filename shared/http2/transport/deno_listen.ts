import { type DenoConnection, DenoTransport } from "./deno_connection.ts";
import type { Listener, NetAddress, RenewableListener, ServerIdentity, Transport } from "./types.ts";

/** How long the listener pauses when the system hands out no connection (no file handles left), in milliseconds. */
const ACCEPT_PAUSE_MS = 20;

/** Where to listen. */
export interface ListenOptions {
  /** @default "0.0.0.0" */
  readonly hostname?: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** Where to listen, and the server's certificate. */
export interface ListenTlsOptions extends ListenOptions {
  /** The certificate chain, PEM. */
  readonly cert: string;
  /** Its private key, PEM. */
  readonly key: string;
}

/** Listens for plain TCP ("prior knowledge" HTTP/2). */
export function listenTcp(options: ListenOptions): Listener {
  const listener = Deno.listen({ hostname: options.hostname ?? "0.0.0.0", port: options.port });
  return new AcceptLoop(listener, (connection) => {
    connection.setNoDelay(true);
    return new DenoTransport(connection, null);
  });
}

/**
 * Listens for TLS with the least CPU time and memory. It cannot ask for client certificates (`listenMutualTls` does), and it
 * cannot get rid of a client that stops in the middle of its handshake: such a connection is forgotten here in time, but the
 * runtime keeps its socket until the client goes. Its sockets have no TCP_NODELAY: the end of a write of more than 16 KiB may
 * wait 44 ms for an acknowledgement. Where either matters, use `listenGuardedTls`.
 */
export function listenTls(options: ListenTlsOptions): RenewableListener {
  const hostname = options.hostname ?? "0.0.0.0";
  function open(port: number, { cert, key }: ServerIdentity): Deno.TlsListener {
    // HTTP/1.1 is offered so that its clients get through the handshake to an answer that they understand.
    return Deno.listenTls({ hostname, port, cert, key, alpnProtocols: ["h2", "http/1.1"] });
  }
  const loop = new AcceptLoop(open(options.port, options), (connection) => {
    return new DenoTransport(connection, async () => (await connection.handshake()).alpnProtocol);
  });
  return Object.assign(loop, {
    async renew(next: ServerIdentity) {
      // The runtime cannot change the certificate of a listener, nor have two on a port. A spare one tells whether the new
      // certificate is usable; then the port is let go and taken again, which new clients see as a connection to be repeated.
      open(0, next).close();
      await loop.replace(() => open(loop.address.port, next));
    },
  });
}

interface DenoListener<C> {
  readonly addr: Deno.Addr;
  accept(): Promise<C>;
  close(): void;
}

/** Hands out the connections of a listener of the runtime. */
class AcceptLoop<C extends DenoConnection> implements Listener {
  readonly address: NetAddress;
  readonly #wrap: (connection: C) => Transport;
  #listener: DenoListener<C>;
  #closed = false;
  #replacement: { readonly open: () => DenoListener<C>; readonly done: () => void } | null = null;

  constructor(listener: DenoListener<C>, wrap: (connection: C) => Transport) {
    const { hostname, port } = listener.addr as Deno.NetAddr;
    this.address = { hostname, port };
    this.#listener = listener;
    this.#wrap = wrap;
  }

  async start(onTransport: (transport: Transport) => void): Promise<void> {
    while (!this.#closed) {
      let connection: C;
      try {
        connection = await this.#listener.accept();
      } catch {
        await this.#recover();
        continue;
      }
      try {
        onTransport(this.#wrap(connection));
      } catch {
        connection.close(); // Gone before it was looked at.
      }
    }
  }

  /** Puts another listener in the place of this one; resolves when it listens. Needs the loop to run. */
  replace(open: () => DenoListener<C>): Promise<void> {
    return new Promise((resolve) => {
      this.#replacement = { open, done: resolve };
      this.#listener.close();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#listener.close();
    } catch {
      // Closed for its replacement.
    }
  }

  /** The listener gave no connection: it is closed, to be replaced, or the system is out of handles. */
  async #recover(): Promise<void> {
    if (this.#closed) return;
    if (this.#replacement !== null) {
      try {
        this.#listener = this.#replacement.open();
        this.#replacement.done();
        this.#replacement = null;
        return;
      } catch {
        // The system has not let go of the port yet.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
  }
}
