import type { RpcClock } from "./clock.ts";
import type { Peer } from "./context.ts";
import type { RpcError } from "./error.ts";
import type { Metadata } from "./metadata.ts";
import type { Status } from "./status.ts";

/** Key, certificate and trust of a server. */
export interface ServerTls {
  /** Certificate chain, PEM, leaf first. */
  cert: string;
  /** Private key, PEM. */
  key: string;
  /** Roots that client certificates must lead to, PEM. */
  ca?: string;
  /** Whether a client must show a certificate. @default true when `ca` is given */
  requireClientCertificate?: boolean;
}

/** Trust, key and certificate of a client. */
export interface ChannelTls {
  /** Roots that the server's certificate must lead to, PEM. */
  ca: string;
  /** Own certificate chain, PEM, leaf first. */
  cert?: string;
  /** Own private key, PEM. */
  key?: string;
  /** Name to expect in the server's certificate instead of the address's host. */
  serverName?: string;
  /**
   * Judges the server by its verified chain (DER, leaf first) and throws to refuse it. It replaces the check of the
   * host name: identities of services are URI names.
   */
  verifyPeer?: (chainDer: readonly Uint8Array[]) => void;
}

/** Bounds of a server. */
export interface ServerLimits {
  /** Largest message accepted, bytes after decompression. */
  maxMessageBytes: number;
  /** Calls at once on one connection. */
  maxConcurrentStreams: number;
  /** Connections at once. */
  maxConnections: number;
  /** Idle time after which a connection is probed, ms. */
  keepaliveMs: number;
  /** Time a probe may stay unanswered before the connection is given up, ms. */
  keepaliveTimeoutMs: number;
  /** Time from accepting a connection to the end of its TLS handshake, ms. */
  handshakeTimeoutMs: number;
}

/** Where a server listens. */
export interface ListenAddress {
  /** Name or IP address of the interface. */
  hostname: string;
  /** Port; 0 asks for a free one. */
  port: number;
}

/** End of a call as it travels. */
export interface CallEnd {
  code: Status;
  message: string;
  details?: Uint8Array;
  trailers: Metadata;
}

/** One call as a server's transport hands it up: bytes of messages, no types. */
export interface IncomingCall {
  readonly path: string;
  readonly metadata: Metadata;
  /** First value of a header that is text. @param name in lower case */
  header(name: string): string | undefined;
  readonly peer: Peer;
  /** From `grpc-timeout`, ms since 1970. */
  readonly deadline?: number;
  /** Next message; undefined once the client has half-closed. Rejects when the call is aborted. One read at a time. */
  read(): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  /** Compression of requests, from `grpc-encoding`; undefined where the transport does not tell. */
  readonly requestEncoding?: string;
  /**
   * Sends response headers, before any message and at most once. Without it they are sent, empty, with the first message.
   * `mayCompress` says whether messages that follow may be compressed.
   */
  sendHeaders(metadata: Metadata, mayCompress: boolean): void;
  /**
   * Sends a message; a promise means: wait for room before the next one. It also settles when the call is aborted.
   * `compressed` is a wish: it holds when the caller takes gzip, the headers said so and the message becomes smaller.
   */
  write(message: Uint8Array, compressed: boolean): Promise<void> | void;
  /**
   * Sends messages joined as they travel uncompressed, like {@linkcode IncomingCall.write}; their octets are the
   * caller's again when it returns nothing or its promise has settled. Absent where each message has to be written.
   */
  writeFramed?(messages: Uint8Array): Promise<void> | void;
  /** Ends the call; once, nothing may follow. */
  finish(end: CallEnd): void;
  /** Ends the call without a status and drops what waits to be sent; nothing may follow. */
  cut(): void;
  /** Called at most once, when the client cancels or its connection is lost before `finish`. */
  onAbort(listener: (reason: RpcError) => void): void;
}

/** What a transport needs to serve. */
export interface ServeOptions {
  tls?: ServerTls;
  limits: ServerLimits;
  clock: RpcClock;
  /** Takes every call of a known or unknown method; must not throw. The promise is open while anything works for the call. */
  onCall(call: IncomingCall): void | Promise<void>;
  /** Faults of connections, for logs. */
  onError(error: unknown): void;
}

/** A server of one transport. */
export interface TransportServer {
  /** Announces a path, for transports that cannot take unknown ones. */
  addMethod(path: string): void;
  /** @throws when the address cannot be bound. */
  listen(where: ListenAddress): Promise<ListenAddress>;
  /** New connections use it. */
  updateTls(tls: ServerTls): void;
  /** Stops accepting, and asks the peers of open connections for no further calls; running calls go on. */
  goAway(): void;
  /** Lets go of the addresses and cuts every connection; those with answers still to be sent get up to `lingerMs`. */
  close(lingerMs: number): Promise<void>;
}

/** A way to serve gRPC. */
export interface ServerTransport {
  readonly name: string;
  serve(options: ServeOptions): TransportServer;
}

/** State of a connection: not asked for yet, being made, usable, failed and waiting for the next try, shut. */
export type ChannelState = "idle" | "connecting" | "ready" | "failing" | "closed";

/** What a client's transport needs for one address. */
export interface ConnectOptions {
  /** `host:port`. */
  address: string;
  tls?: ChannelTls;
  maxMessageBytes: number;
  keepaliveMs: number;
  keepaliveTimeoutMs: number;
  connectTimeoutMs: number;
  /** First delay between tries to connect, ms; it doubles up to the longest. */
  backoffInitialMs: number;
  backoffMaxMs: number;
}

/** How a call starts. */
export interface StartOptions {
  metadata: Metadata;
  /** Sent as `grpc-timeout`; the caller enforces it. Ms since 1970. */
  deadline?: number;
  /** Whether to wait for a connection instead of failing with UNAVAILABLE. */
  waitForReady: boolean;
  /** Whether requests are compressed with gzip, if the transport can. */
  compress?: boolean;
  onHeaders(metadata: Metadata): void;
}

/** One call as a client's transport runs it. */
export interface OutgoingCall {
  /** Sends a message; a promise means: wait for room before the next one. It also settles when the call ends. */
  write(message: Uint8Array): Promise<void> | void;
  /** No message follows. */
  halfClose(): void;
  /** Next message; undefined once the call has ended, whatever its status. One read at a time. */
  read(): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  /** The status; settles when the call has ended, also when it was cancelled here. Never rejects. */
  readonly ended: Promise<CallEnd>;
  /** Ends the call here and tells the server. */
  cancel(reason: RpcError): void;
}

/** One address as a client's transport sees it: connects when first needed, reconnects with back-off. */
export interface TransportChannel {
  start(path: string, options: StartOptions): OutgoingCall;
  state(): ChannelState;
  /** New calls use a connection made with it; running calls end on the one they have. */
  updateTls(tls: ChannelTls): void;
  close(): void;
}

/** A way to call gRPC servers. */
export interface ClientTransport {
  readonly name: string;
  connect(options: ConnectOptions): TransportChannel;
}
