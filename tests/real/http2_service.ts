import {
  type Http2Server,
  type Http2Stream,
  type Listener,
  listenGuardedTls,
  listenTcp,
  listenTls,
  serve,
} from "../../shared/http2/mod.ts";
import { createAuthority } from "../../shared/http2/testing/certificates.ts";

const HELLO = new TextEncoder().encode("hello from http2\n");

/** Answers with the request's body, or a greeting, and trailers. */
export function echo(stream: Http2Stream): void {
  stream.collect(1 << 26, (error, body) => {
    if (error !== null) return;
    stream.respondWhole(
      [[":status", "200"], ["content-type", "application/grpc"]],
      body.length > 0 ? body : HELLO,
      new Uint8Array(0),
      [["grpc-status", "0"]],
    );
  });
}

/** A server on each transport that outside programs can reach. */
export async function startEverywhere(
  handler = echo,
): Promise<{ name: string; tls: boolean; server: Http2Server; url: string }[]> {
  const identity = await (await createAuthority("test authority")).issue("localhost");
  const at = { hostname: "127.0.0.1", port: 0 };
  const listeners: [name: string, tls: boolean, listener: Listener][] = [
    ["TCP", false, listenTcp(at)],
    ["TLS", true, listenTls({ ...at, ...identity })],
    ["guarded TLS", true, await listenGuardedTls({ ...at, ...identity })],
  ];
  return listeners.map(([name, tls, listener]) => {
    const server = serve(listener, { handler });
    return { name, tls, server, url: `${tls ? "https" : "http"}://127.0.0.1:${server.address.port}` };
  });
}
