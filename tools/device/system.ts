import type { Connection, Connector } from "./backend.ts";

/** A fetch that trusts these PEM roots; the system's without them. */
export function systemFetcher(ca: string | undefined): (request: Request) => Promise<Response> {
  const client = ca === undefined ? undefined : Deno.createHttpClient({ caCerts: [ca] });
  return (request) => fetch(request, client === undefined ? {} : { client });
}

/** Connections by TCP and TLS; with PEM roots given, TLS trusts them too. */
export function systemConnector(ca: string | undefined): Connector {
  return async (hostname, port, tls) => {
    const plain = await Deno.connect({ hostname, port });
    if (tls === undefined) return closable(plain);
    try {
      const caCerts = ca === undefined ? [] : [ca];
      const secured = await Deno.startTls(plain, { hostname: tls.serverName, caCerts });
      await secured.handshake();
      return closable(secured);
    } catch (error) {
      closable(plain).close();
      throw error;
    }
  };
}

/** The runtime closes a connection whose streams have ended, and refuses to close it again. */
function closable(connection: Deno.Conn): Connection {
  return {
    readable: connection.readable,
    writable: connection.writable,
    close() {
      try {
        connection.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    },
  };
}
