import {
  connect as connectHttp2,
  connectNodeTls,
  connectTcp,
  type HeaderField,
  type Http2Client,
  PreparedHeaders,
  type Transport,
} from "../../http2/mod.ts";
import { RpcError } from "../error.ts";
import { Status } from "../status.ts";
import type {
  ChannelState,
  ChannelTls,
  ClientTransport,
  ConnectOptions,
  OutgoingCall,
  StartOptions,
  TransportChannel,
} from "../transport.ts";
import { H2ClientCall } from "./client_call.ts";
import { addMetadata, formatTimeout } from "./headers.ts";

/** A server learns of our certificate after our side of the handshake is done, so its refusal looks like this. */
const CLOSED_AT_THE_DOOR =
  "the server closed the connection after the handshake; it may not admit our certificate, or want one";

/** gRPC client over `shared/http2`. */
export const h2ClientTransport: ClientTransport = {
  name: "http2",
  connect: (options) => new H2Channel(options),
};

/** One message may always be queued, however large its sender makes it. */
const MAX_QUEUED_BYTES = 1 << 30;
/** Paths whose request headers are kept encoded; a client has a few dozen methods. */
const MAX_PREPARED = 256;

/**
 * One address. States: idle (nobody has asked), connecting (calls wait), ready, failing (the last try failed; calls fail at
 * once unless they wait for readiness, until the back-off is over), closed.
 */
class H2Channel implements TransportChannel {
  readonly #options: ConnectOptions;
  readonly #host: string;
  readonly #port: number;
  readonly #waiting = new Set<Pending>();
  readonly #running = new Set<H2ClientCall>();
  readonly #prepared = new Map<string, PreparedHeaders>();
  #tls: ChannelTls | undefined;
  #client: Http2Client | undefined;
  /** Connections that take no more calls but still run some. */
  readonly #draining = new Set<Http2Client>();
  #state: ChannelState = "idle";
  #attempt = 0;
  #failures = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | undefined;

  constructor(options: ConnectOptions) {
    const colon = options.address.lastIndexOf(":");
    this.#options = options;
    this.#host = options.address.slice(0, colon).replace(/^\[|\]$/g, "");
    this.#port = Number(options.address.slice(colon + 1));
    this.#tls = options.tls;
  }

  state(): ChannelState {
    return this.#state;
  }

  start(path: string, options: StartOptions): OutgoingCall {
    const call = new H2ClientCall(options, this.#options.maxMessageBytes);
    const pending = { call, path, options };
    if (this.#state === "closed") {
      call.cancel(new RpcError(Status.UNAVAILABLE, "The channel is closed"));
      return call;
    }
    this.#running.add(call);
    call.onOver(() => {
      this.#running.delete(call);
      this.#waiting.delete(pending);
    });
    this.#run(pending);
    return call;
  }

  #run(pending: Pending): void {
    if (pending.call.over) return;
    const client = this.#client;
    if (client?.state === "open") {
      try {
        return pending.call.attach(client, this.#headers(pending), () => this.#run(pending));
      } catch { /* it has just stopped to take calls: the next connection does */ }
    }
    switch (this.#state) {
      case "failing":
        if (!pending.options.waitForReady) return pending.call.cancel(this.#unreachable());
        break;
      case "closed":
        return pending.call.cancel(new RpcError(Status.UNAVAILABLE, "The channel is closed"));
      case "idle":
      case "ready":
        this.#connect();
        break;
      case "connecting":
        break;
    }
    this.#waiting.add(pending);
  }

  #headers({ path, options }: Pending): readonly HeaderField[] | PreparedHeaders {
    const plain = options.metadata.size === 0 && options.deadline === undefined && !options.compress;
    const known = plain ? this.#prepared.get(path) : undefined;
    if (known) return known;
    const fields: HeaderField[] = [
      [":method", "POST"],
      [":scheme", this.#tls ? "https" : "http"],
      [":path", path],
      [":authority", this.#tls?.serverName ?? this.#options.address],
      ["te", "trailers"],
      ["content-type", "application/grpc"],
      ["grpc-accept-encoding", "identity,gzip"],
    ];
    if (options.compress) fields.push(["grpc-encoding", "gzip"]);
    if (options.deadline !== undefined) fields.push(["grpc-timeout", formatTimeout(options.deadline - Date.now())]);
    addMetadata(fields, options.metadata);
    if (!plain || this.#prepared.size >= MAX_PREPARED) return fields;
    const prepared = new PreparedHeaders(fields);
    this.#prepared.set(path, prepared);
    return prepared;
  }

  #connect(): void {
    this.#state = "connecting";
    const attempt = ++this.#attempt;
    const abort = this.#abort = new AbortController();
    const timer = setTimeout(
      () => abort.abort(new Error(`no connection within ${this.#options.connectTimeoutMs} ms`)),
      this.#options.connectTimeoutMs,
    );
    this.#dial(abort.signal).then(async (transport) => {
      if (attempt !== this.#attempt) return transport.close();
      const client = this.#adopt(transport);
      await client.ready.catch((cause) => {
        throw transport.peer.transport === "tls" ? new Error(CLOSED_AT_THE_DOOR, { cause }) : cause;
      });
      if (attempt === this.#attempt) this.#connected(client);
      else client.close();
    }).catch((error) => {
      if (attempt === this.#attempt) this.#failed(error);
    }).finally(() => clearTimeout(timer));
  }

  async #dial(signal: AbortSignal): Promise<Transport> {
    const where = { hostname: this.#host, port: this.#port, signal };
    const tls = this.#tls;
    const dialled = tls === undefined ? connectTcp(where) : connectNodeTls({
      ...where,
      ca: [tls.ca],
      cert: tls.cert,
      key: tls.key,
      serverName: tls.serverName,
      checkServer: tls.verifyPeer && ((chain) => judge(tls.verifyPeer!, chain)),
    });
    const late = Promise.withResolvers<never>();
    const giveUp = (): void => late.reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      return await Promise.race([dialled, late.promise]);
    } catch (error) {
      dialled.then((transport) => transport.close(), () => {});
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  #adopt(transport: Transport): Http2Client {
    const client: Http2Client = connectHttp2(transport, {
      limits: {
        keepaliveIntervalMs: this.#options.keepaliveMs,
        keepaliveTimeoutMs: this.#options.keepaliveTimeoutMs,
        maxQueuedBytesPerStream: MAX_QUEUED_BYTES,
        // Calls run on for as long as they like on a connection that is left for a newer one.
        drainTimeoutMs: 0,
      },
      onDraining: () => this.#lost(client),
      onClose: () => {
        this.#draining.delete(client);
        this.#lost(client);
      },
    });
    return client;
  }

  #connected(client: Http2Client): void {
    this.#client = client;
    this.#state = "ready";
    this.#failures = 0;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const pending of waiting) this.#run(pending);
  }

  /** The connection takes no more calls; the next call makes another. */
  #lost(client: Http2Client): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    if (client.state === "draining") this.#draining.add(client);
    if (this.#state === "ready") this.#state = "idle";
  }

  #failed(error: unknown): void {
    this.#state = "failing";
    this.#failures++;
    this.#lastError = error;
    for (const pending of [...this.#waiting]) {
      if (!pending.options.waitForReady) pending.call.cancel(this.#unreachable());
    }
    const { backoffInitialMs, backoffMaxMs } = this.#options;
    const delay = Math.min(backoffMaxMs, backoffInitialMs * 2 ** (this.#failures - 1));
    this.#retryTimer = setTimeout(() => {
      this.#state = "idle";
      if (this.#waiting.size > 0) this.#connect();
    }, delay * (0.8 + 0.4 * Math.random()));
  }

  #lastError: unknown;

  #unreachable(): RpcError {
    const why = this.#lastError instanceof Error ? this.#lastError.message : String(this.#lastError);
    return new RpcError(Status.UNAVAILABLE, `No connection to ${this.#options.address}: ${why}`, {
      cause: this.#lastError,
    });
  }

  updateTls(tls: ChannelTls): void {
    if (this.#state === "closed") return;
    this.#tls = tls;
    this.#prepared.clear();
    const client = this.#client;
    if (client) {
      this.#client = undefined;
      this.#draining.add(client);
      client.shutdown().then(() => this.#draining.delete(client));
    }
    this.#abandonAttempt();
    this.#state = "idle";
    if (this.#waiting.size > 0) this.#connect();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#abandonAttempt();
    for (const call of [...this.#running]) call.cancel(new RpcError(Status.CANCELLED, "The channel was closed"));
    this.#client?.close();
    for (const client of this.#draining) client.close();
  }

  #abandonAttempt(): void {
    this.#attempt++;
    this.#abort?.abort(new Error("given up"));
    clearTimeout(this.#retryTimer);
  }
}

/** A call that has no stream yet. */
interface Pending {
  readonly call: H2ClientCall;
  readonly path: string;
  readonly options: StartOptions;
}

function judge(verify: (chain: readonly Uint8Array[]) => void, chain: readonly Uint8Array[]): Error | undefined {
  try {
    verify(chain);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
