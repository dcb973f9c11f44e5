import { type DenoConnection, DenoTransport } from "./deno_connection.ts";
import type { Listener, NetAddress, Transport } from "./types.ts";

/** How long the listener pauses when the system hands out no connection (no file handles left), in milliseconds. */
const ACCEPT_PAUSE_MS = 50;

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
  return listenOn(listener, (connection) => {
    connection.setNoDelay(true);
    return new DenoTransport(connection, null);
  });
}

/** Listens for TLS on a public port. It cannot ask for client certificates; `listenMutualTls` does. */
export function listenTls(options: ListenTlsOptions): Listener {
  const listener = Deno.listenTls({
    hostname: options.hostname ?? "0.0.0.0",
    port: options.port,
    cert: options.cert,
    key: options.key,
    // HTTP/1.1 is offered so that its clients get through the handshake to an answer that they understand.
    alpnProtocols: ["h2", "http/1.1"],
  });
  return listenOn(listener, (connection) => {
    return new DenoTransport(connection, async () => (await connection.handshake()).alpnProtocol);
  });
}

function listenOn<C extends DenoConnection>(
  listener: { readonly addr: Deno.Addr; accept(): Promise<C>; close(): void },
  wrap: (connection: C) => Transport,
): Listener {
  const { hostname, port } = listener.addr as Deno.NetAddr;
  const address: NetAddress = { hostname, port };
  let closed = false;
  return {
    address,
    async start(onTransport) {
      while (!closed) {
        let connection: C;
        try {
          connection = await listener.accept();
        } catch {
          if (!closed) await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
          continue;
        }
        try {
          onTransport(wrap(connection));
        } catch {
          connection.close(); // Gone before it was looked at.
        }
      }
    },
    close() {
      if (closed) return;
      closed = true;
      listener.close();
    },
  };
}
