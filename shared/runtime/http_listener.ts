/** Who sent a request. */
export interface HttpPeer {
  readonly address: string;
  readonly port: number;
}

/** A certificate chain and its key, PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What to serve, and where. */
export interface HttpListenerOptions {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls?: ServerCertificate;
  readonly handler: (request: Request, peer: HttpPeer) => Response | Promise<Response>;
  /** Answers for a handler that threw. @default 500 without a body */
  readonly onError?: (error: unknown) => Response | Promise<Response>;
}

/** A listening HTTP/1.1 and HTTP/2 server. */
export interface HttpListener {
  readonly hostname: string;
  readonly port: number;
  /** Such as `https://127.0.0.1:4433`. */
  readonly url: string;
  /**
   * Gives new connections another certificate, or rejects and keeps the old one when it is not usable. Running requests
   * end on the old one. The runtime cannot swap it in a listener, so for some milliseconds (3 measured) connections are
   * refused.
   */
  updateTls(certificate: ServerCertificate): Promise<void>;
  /**
   * Takes no new connection and lets running requests end. After `graceMs` it returns all the same; what still runs
   * then ends with the process.
   */
  drain(graceMs: number): Promise<void>;
  /** Cuts everything, unless it is draining: then it only waits no longer. */
  close(): Promise<void>;
}

/** How long requests of a replaced certificate may still run. */
const REPLACED_LISTENER_GRACE_MS = 30_000;

/** How long the port may take to become free while the certificate is replaced. */
const REBIND_DEADLINE_MS = 5_000;

/** Of a body that nobody wants no more is read for the sake of a clean answer. */
const DISCARD_LIMIT_BYTES = 8 * 1024 * 1024;

/** And no longer than this is waited for it. */
const DISCARD_LIMIT_MS = 5_000;

/**
 * Starts a server.
 *
 * @throws {Error} When the port is taken or not granted; names the address.
 */
export function serveHttp(options: HttpListenerOptions): Promise<HttpListener> {
  return new Promise((resolve, reject) => {
    try {
      resolve(new Listener(options));
    } catch (error) {
      const why = error instanceof Deno.errors.AddrInUse ? "the port is taken" : String((error as Error).message);
      reject(new Error(`Cannot listen on ${options.hostname}:${options.port}: ${why}`, { cause: error }));
    }
  });
}

interface Serving {
  readonly server: Deno.HttpServer<Deno.NetAddr>;
  readonly abort: AbortController;
  /** Set once it takes no new connections. */
  shutdown?: Promise<void>;
}

class Listener implements HttpListener {
  readonly hostname: string;
  readonly port: number;
  readonly url: string;
  readonly #options: HttpListenerOptions;
  #serving: Serving;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.#serving = this.#start(options.port, options.tls);
    this.hostname = options.hostname;
    this.port = this.#serving.server.addr.port;
    const host = this.hostname.includes(":") ? `[${this.hostname}]` : this.hostname;
    this.url = `${options.tls ? "https" : "http"}://${host}:${this.port}`;
  }

  async updateTls(certificate: ServerCertificate): Promise<void> {
    // A spare listener tells whether the certificate is usable, while the port is still served.
    await drainServer(this.#start(0, certificate), 0);
    const old = this.#serving;
    drainServer(old, REPLACED_LISTENER_GRACE_MS).catch(() => {});
    this.#serving = await this.#restart(certificate);
  }

  async drain(graceMs: number): Promise<void> {
    await drainServer(this.#serving, graceMs);
  }

  async close(): Promise<void> {
    await drainServer(this.#serving, 0);
  }

  async #restart(certificate: ServerCertificate): Promise<Serving> {
    const deadline = performance.now() + REBIND_DEADLINE_MS;
    while (true) {
      try {
        return this.#start(this.port, certificate);
      } catch (error) {
        if (!(error instanceof Deno.errors.AddrInUse) || performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }

  #start(port: number, tls: ServerCertificate | undefined): Serving {
    const { hostname, handler, onError } = this.#options;
    const abort = new AbortController();
    const server = Deno.serve({
      hostname,
      port,
      signal: abort.signal,
      onListen: () => {},
      onError: onError ?? (() => new Response(null, { status: 500 })),
      ...(tls ? { cert: tls.cert, key: tls.key } : {}),
    }, async (request, info) => {
      const { hostname: address, port } = info.remoteAddr as Deno.NetAddr;
      try {
        return await handler(request, { address, port });
      } finally {
        // Over HTTP/2 the runtime resets a stream whose body nobody read, and the client never sees the answer.
        if (!request.bodyUsed && request.body !== null) await discard(request.body);
      }
    });
    return { server: server as Deno.HttpServer<Deno.NetAddr>, abort };
  }
}

/** Reads what a handler had no use for, within bounds; never throws. */
async function discard(body: ReadableStream<Uint8Array>): Promise<void> {
  if (body.locked) return;
  const reader = body.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  const late = setTimeout(stop, DISCARD_LIMIT_MS);
  try {
    for (let size = 0; size <= DISCARD_LIMIT_BYTES;) {
      const { done, value } = await reader.read();
      if (done) return;
      size += value.length;
    }
    stop();
  } catch {
    /* the client is gone */
  } finally {
    clearTimeout(late);
  }
}

async function drainServer(serving: Serving, graceMs: number): Promise<void> {
  if (graceMs <= 0 && !serving.shutdown) {
    serving.shutdown = serving.server.finished;
    serving.abort.abort();
    return await serving.shutdown;
  }
  // A server that is shutting down can no longer be aborted: the runtime throws.
  serving.shutdown ??= serving.server.shutdown();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs));
  await Promise.race([serving.shutdown, late]);
  clearTimeout(timer);
}
