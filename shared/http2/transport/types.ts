/** A network address. */
export interface NetAddress {
  readonly hostname: string;
  readonly port: number;
}

/** What the peer of a mutual TLS connection proved to be. */
export interface PeerCertificate {
  /** The certificate and those above it that it sent, DER, the peer's own first. */
  readonly chain: readonly Uint8Array[];
  /** Whether the chain was verified against the authorities of this port. */
  readonly verified: boolean;
}

/** Who is at the other end of a connection. */
export interface PeerInfo {
  /** How the octets travel. */
  readonly transport: "tcp" | "tls" | "memory";
  /** The peer's address; null in memory. */
  readonly remoteAddress: NetAddress | null;
  /** Our address; null in memory. */
  readonly localAddress: NetAddress | null;
  /** The protocol agreed on in the TLS handshake, or null. */
  readonly alpn: string | null;
  /** The peer's certificate, or null when it showed none. */
  readonly certificate: PeerCertificate | null;
}

/** Takes what a transport receives. */
export interface TransportSink {
  /** Octets came; the array is valid during the call only. */
  data(bytes: Uint8Array): void;
  /** Nothing more comes: the peer's orderly end (null) or a failure. Called once. */
  end(error: Error | null): void;
}

/** A reliable byte stream in both directions. */
export interface Transport {
  /** Who is at the other end; complete from the first octet on. */
  readonly peer: PeerInfo;
  /** Starts the delivery (and a handshake that is still to be done). Called once. */
  start(sink: TransportSink): void;
  /** Writes all of `bytes`, which stay untouched meanwhile; called again only after the promise has settled. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends our direction. */
  closeWrite(): void;
  /** Drops the connection and all that belongs to it; may be called again. */
  close(): void;
}

/** A port that hands out transports. */
export interface Listener {
  /** Where it listens. */
  readonly address: NetAddress;
  /** Starts to accept. Called once. */
  start(onTransport: (transport: Transport) => void): void;
  /** Stops to accept; connections live on. */
  close(): void;
}

/** A server's certificate chain and key, PEM. */
export interface ServerIdentity {
  readonly cert: string;
  readonly key: string;
  /** The authorities whose clients are admitted, PEM; those of before when absent. For mutual TLS alone. */
  readonly ca?: readonly string[];
}

/** A listener whose certificate can be changed. */
export interface RenewableListener extends Listener {
  /**
   * Uses another certificate for the connections from now on; those that exist keep theirs. Rejects when the certificate or
   * key is not usable; then the old ones stay.
   */
  renew(identity: ServerIdentity): Promise<void>;
}
