/**
 * HTTP/2 (RFC 9113) and HPACK (RFC 7541), server and client, with a core that does no I/O.
 * See docs/http2.md for an example, what it refuses and how it was proven.
 *
 * @module
 */
export { SYSTEM_CLOCK } from "./clock.ts";
export type { Clock } from "./clock.ts";
export { connect } from "./client.ts";
export type { ClientOptions, Http2Client } from "./client.ts";
export { ErrorCode, errorName } from "./core/constants.ts";
export { ConnectionError, StreamClosedError } from "./core/errors.ts";
export type { CloseSource } from "./core/errors.ts";
export { DEFAULT_LIMITS } from "./core/limits.ts";
export type { Http2Limits } from "./core/limits.ts";
export { PreparedHeaders } from "./hpack/mod.ts";
export type { HeaderField, HeaderList } from "./hpack/mod.ts";
export { serve } from "./server.ts";
export type { Http2Server, ServeOptions, ServerStats } from "./server.ts";
export { BodyTooLargeError } from "./stream.ts";
export type { Http2Stream } from "./stream_face.ts";
export { MemoryListener, memoryPair, MemoryTransport } from "./transport/memory.ts";
export type { MemoryPairOptions } from "./transport/memory.ts";
export type {
  Listener,
  NetAddress,
  PeerCertificate,
  PeerInfo,
  RenewableListener,
  ServerIdentity,
  Transport,
  TransportSink,
} from "./transport/types.ts";
export { AlpnError, connectTcp, connectTls } from "./transport/deno_connect.ts";
export type { ConnectOptions, ConnectTlsOptions } from "./transport/deno_connect.ts";
export { listenTcp, listenTls } from "./transport/deno_listen.ts";
export type { ListenOptions, ListenTlsOptions } from "./transport/deno_listen.ts";
export { connectNodeTls, listenGuardedTls, listenMutualTls } from "./transport/node_tls.ts";
export type { ConnectNodeTlsOptions, ListenGuardedTlsOptions, ListenMutualTlsOptions } from "./transport/node_tls.ts";
