import type { Listener, PeerInfo, Transport, TransportSink } from "./types.ts";

const MEMORY_PEER: PeerInfo = {
  transport: "memory",
  remoteAddress: null,
  localAddress: null,
  alpn: "h2",
  certificate: null,
};

/** How a pair in memory behaves. */
export interface MemoryPairOptions {
  /** What the first end sees of the second. */
  readonly firstPeer?: Partial<PeerInfo>;
  /** What the second end sees of the first. */
  readonly secondPeer?: Partial<PeerInfo>;
}

/** Two transports that are connected to each other, for tests; a write settles when the other end has taken it. */
export function memoryPair(options: MemoryPairOptions = {}): [MemoryTransport, MemoryTransport] {
  const first = new MemoryTransport({ ...MEMORY_PEER, ...options.firstPeer });
  const second = new MemoryTransport({ ...MEMORY_PEER, ...options.secondPeer });
  first.attach(second);
  second.attach(first);
  return [first, second];
}

/** One end of a {@linkcode memoryPair}. */
export class MemoryTransport implements Transport {
  readonly peer: PeerInfo;
  #other: MemoryTransport | null = null;
  #sink: TransportSink | null = null;
  #inbox: { bytes: Uint8Array; taken: () => void }[] = [];
  #paused = false;
  #ended = false;
  #endError: Error | null = null;
  #closed = false;

  constructor(peer: PeerInfo) {
    this.peer = peer;
  }

  /** Sets the other end. */
  attach(other: MemoryTransport): void {
    this.#other = other;
  }

  /** Stops to take what the other end writes, or goes on: a peer whose machine is busy. */
  set paused(paused: boolean) {
    this.#paused = paused;
    if (!paused) this.#deliver();
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
    queueMicrotask(() => this.#deliver());
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new Error("Transport is closed"));
    return new Promise((resolve) => this.#other!.#push(bytes, resolve));
  }

  closeWrite(): void {
    queueMicrotask(() => this.#other!.#end(null));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const inbox = this.#inbox;
    this.#inbox = [];
    for (const { taken } of inbox) taken();
    queueMicrotask(() => this.#other!.#end(null));
    this.#sink = null;
  }

  #push(bytes: Uint8Array, taken: () => void): void {
    if (this.#closed) return taken();
    this.#inbox.push({ bytes, taken });
    queueMicrotask(() => this.#deliver());
  }

  #end(error: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endError = error;
    this.#deliver();
  }

  #deliver(): void {
    while (!this.#paused && this.#sink !== null && this.#inbox.length > 0) {
      const { bytes, taken } = this.#inbox.shift()!;
      this.#sink.data(bytes);
      taken();
    }
    if (this.#ended && this.#inbox.length === 0 && !this.#paused && this.#sink !== null) {
      const sink = this.#sink;
      this.#sink = null;
      sink.end(this.#endError);
    }
  }
}

/** A listener without a port, for tests. */
export class MemoryListener implements Listener {
  readonly address = { hostname: "memory", port: 0 };
  #accept: ((transport: Transport) => void) | null = null;
  #closed = false;

  start(onTransport: (transport: Transport) => void): void {
    this.#accept = onTransport;
  }

  /** Connects to whoever listens; returns the client's end. */
  connect(options: MemoryPairOptions = {}): MemoryTransport {
    if (this.#accept === null || this.#closed) throw new Error("Nobody listens");
    const [client, server] = memoryPair(options);
    this.#accept(server);
    return client;
  }

  close(): void {
    this.#closed = true;
  }
}
