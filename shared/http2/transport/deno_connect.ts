import { DenoTransport } from "./deno_connection.ts";
import type { Transport } from "./types.ts";

/** Where to connect to. */
export interface ConnectOptions {
  readonly hostname: string;
  readonly port: number;
  /** Gives up the attempt. */
  readonly signal?: AbortSignal;
}

/** Where to connect to, whom to trust, and who we are. */
export interface ConnectTlsOptions extends ConnectOptions {
  /** Authorities to trust besides those of the runtime, PEM. */
  readonly caCerts?: readonly string[];
  /** Our certificate chain, PEM, where the server asks for one. */
  readonly cert?: string;
  /** Its private key, PEM. */
  readonly key?: string;
}

/** The server did not agree to speak HTTP/2. */
export class AlpnError extends Error {
  override readonly name = "AlpnError";
}

/** Connects over plain TCP. Rejects when nobody answers. */
export async function connectTcp(options: ConnectOptions): Promise<Transport> {
  const connection = await Deno.connect({ hostname: options.hostname, port: options.port, signal: options.signal });
  connection.setNoDelay(true);
  return new DenoTransport(connection, null);
}

/**
 * Connects over TLS; the server's certificate must be for `hostname`.
 *
 * @throws {AlpnError} when the server does not speak HTTP/2.
 */
export async function connectTls(options: ConnectTlsOptions): Promise<Transport> {
  const identity = options.cert !== undefined && options.key !== undefined
    ? { cert: options.cert, key: options.key }
    : {};
  const connection = await Deno.connectTls({
    hostname: options.hostname,
    port: options.port,
    caCerts: options.caCerts === undefined ? undefined : [...options.caCerts],
    alpnProtocols: ["h2"],
    ...identity,
  });
  const abort = () => connection.close();
  options.signal?.addEventListener("abort", abort);
  try {
    options.signal?.throwIfAborted();
    const { alpnProtocol } = await connection.handshake();
    if (alpnProtocol !== "h2") {
      throw new AlpnError(`Server at ${options.hostname}:${options.port} does not speak HTTP/2`);
    }
    return new DenoTransport(connection, () => Promise.resolve(alpnProtocol));
  } catch (error) {
    try {
      connection.close();
    } catch { /* closed by the failed handshake */ }
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
}
