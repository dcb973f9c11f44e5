/**
 * What a peer may cost us. Each default has its reason beside it; all are settings of a server or client.
 * Time outs and ages are off at 0.
 */
export interface Http2Limits {
  /** Streams that the peer may have open on a connection; a stream counts until its handler has returned, too. */
  readonly maxConcurrentStreams: number;
  /** Octets of a header list as of RFC 7541, 4.1; past it a request is answered 431. */
  readonly maxHeaderListBytes: number;
  /** Fields of a header list; past it a request is answered 431. */
  readonly maxHeaderFields: number;
  /** CONTINUATION frames of a header block. */
  readonly maxContinuationFrames: number;
  /** Octets of a frame's payload that we accept (SETTINGS_MAX_FRAME_SIZE, 16 384 to 16 777 215). */
  readonly maxFrameBytes: number;
  /** Octets of dynamic table in each direction (RFC 7541). */
  readonly headerTableBytes: number;
  /** Octets that a peer may send on a stream before its reader has taken any. */
  readonly streamWindowBytes: number;
  /** Octets that a peer may send on a connection before we have seen them. */
  readonly connectionWindowBytes: number;
  /** Octets received on a connection that no reader has taken; above it the connection's window is not opened further. */
  readonly maxBufferedBytesPerConnection: number;
  /** The same over all connections of a server: near it new streams are refused and the largest holder is cut off. */
  readonly maxBufferedBytes: number;
  /** Octets of DATA that wait for the transport; past it writers wait. */
  readonly outputBytes: number;
  /** Octets of all frames that wait for the transport; past it the peer does not read what it makes us answer, and is cut off. */
  readonly maxOutputBytes: number;
  /** Octets that writers who do not wait may have queued on a stream before `write` throws. */
  readonly maxQueuedBytesPerStream: number;
  /** Streams of a client that wait for the server to allow more. */
  readonly maxPendingStreams: number;
  /** Connections of a server. */
  readonly maxConnections: number;
  /** Milliseconds from the transport's opening to the end of TLS handshake, preface and first SETTINGS. */
  readonly handshakeTimeoutMs: number;
  /** Milliseconds for the peer to acknowledge our SETTINGS. */
  readonly settingsTimeoutMs: number;
  /** Milliseconds from a HEADERS frame to the last CONTINUATION. */
  readonly headerBlockTimeoutMs: number;
  /** Milliseconds without a stream after which a connection is closed. */
  readonly idleTimeoutMs: number;
  /** Milliseconds after which a connection is drained, however busy. */
  readonly maxAgeMs: number;
  /** Milliseconds that a draining connection has for the streams it still carries. */
  readonly drainTimeoutMs: number;
  /** Milliseconds of silence after which the peer is pinged. */
  readonly keepaliveIntervalMs: number;
  /** Milliseconds for the answer to a ping. */
  readonly keepaliveTimeoutMs: number;
  /** Milliseconds that the transport may refuse to take what waits. */
  readonly writeTimeoutMs: number;
  /** Milliseconds that a body of which a part is held for `collect` may stand still. */
  readonly bodyTimeoutMs: number;
  /** Milliseconds that a stream with bytes to send may see its window, or the connection's, shut. */
  readonly windowTimeoutMs: number;
  /** Streams that a peer may reset, or make us reset, at once, ... */
  readonly resetBurst: number;
  /** ... and a second in the long run. */
  readonly resetsPerSecond: number;
  /** Frames without progress (SETTINGS, PING, PRIORITY, WINDOW_UPDATE, empty and unknown ones) at once, ... */
  readonly controlFrameBurst: number;
  /** ... and a second in the long run; every frame of content sent or received allows four more. */
  readonly controlFramesPerSecond: number;
}

/** The defaults: a public port on a machine with a few gigabytes. */
export const DEFAULT_LIMITS: Http2Limits = {
  // Twice what gRPC servers commonly allow; with the header limit, 4 MiB of headers a connection at worst.
  maxConcurrentStreams: 256,
  // Four cookies or tokens of the usual 4 KiB; what other gRPC servers take is 8 to 16 KiB.
  maxHeaderListBytes: 16_384,
  // Ten times what a call carries.
  maxHeaderFields: 128,
  // A list within its limit fits into one frame; more than a few mean somebody is playing.
  maxContinuationFrames: 16,
  // The least that RFC 9113 allows, so a frame never holds up the others for long, and no peer can ask us to buffer more.
  maxFrameBytes: 16_384,
  // The protocol's default; a service repeats a few hundred octets of fields.
  headerTableBytes: 4_096,
  // 20 MB/s a stream at 50 ms round trip, and what keeps a fast link busy.
  streamWindowBytes: 1_048_576,
  // Four streams at full window.
  connectionWindowBytes: 4_194_304,
  // Readers that stall hold up the others of their connection only past this.
  maxBufferedBytesPerConnection: 8_388_608,
  // Far from the heap limit of a small process.
  maxBufferedBytes: 268_435_456,
  // Enough that writing and encrypting overlap; never more than the reader's windows allow.
  outputBytes: 131_072,
  // The data and 50 000 pings.
  maxOutputBytes: 1_048_576,
  // One large message of gRPC.
  maxQueuedBytesPerStream: 4_194_304,
  // A burst of a busy service.
  maxPendingStreams: 10_000,
  // 20 000 idle connections take about 600 MB over TLS.
  maxConnections: 20_000,
  // A phone on a bad link takes three.
  handshakeTimeoutMs: 10_000,
  settingsTimeoutMs: 10_000,
  headerBlockTimeoutMs: 10_000,
  // Longer than the pauses of clients worth keeping.
  idleTimeoutMs: 300_000,
  maxAgeMs: 0,
  drainTimeoutMs: 30_000,
  // Below the time after which common NATs forget a connection.
  keepaliveIntervalMs: 60_000,
  keepaliveTimeoutMs: 20_000,
  writeTimeoutMs: 30_000,
  bodyTimeoutMs: 30_000,
  windowTimeoutMs: 120_000,
  // A client that cancels everything at once may; one that goes on doing so is the attack of CVE-2023-44487 or CVE-2025-8671.
  resetBurst: 500,
  resetsPerSecond: 50,
  // 1 000 frames take a millisecond or so to read and answer.
  controlFrameBurst: 2_000,
  controlFramesPerSecond: 500,
};

/** Size of output buffers: data up to its limit, one frame more, and some control frames. */
export function poolBufferBytes(limits: Http2Limits): number {
  return limits.outputBytes + 20_480;
}
