import { connectHost } from "./host.ts";

/** Where an app's back-end listens. */
export interface BackendAddress {
  /** Name of the instance, as the reply gave it. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** What a back-end said. */
export interface BackendAnswer {
  /** Time until the connection stood, milliseconds. */
  readonly connectMs: number;
  /** HTTP status; undefined when it does not speak HTTP. */
  readonly status: number | undefined;
  /** Body, or whatever it sent, at most {@link MAX_ANSWER_BYTES}. */
  readonly text: string;
}

/** Opens a connection; the part of the runtime that {@link askBackend} needs. */
export interface Connector {
  (host: string, port: number, tls: { serverName: string } | undefined): Promise<Connection>;
}

/** A connection that was opened. */
export interface Connection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  close(): void;
}

/** Longest answer that is taken. */
export const MAX_ANSWER_BYTES = 64 * 1024;

/** How long connecting and answering may take together. */
const TIMEOUT_MS = 5_000;

/** A back-end that cannot be reached. */
export class BackendError extends Error {
  override readonly name = "BackendError";
}

/**
 * Connects as an app on the device would and asks for `/` by HTTP. A back-end that speaks another protocol is asked
 * the same; reaching it is what counts.
 *
 * @throws {BackendError} When no connection can be made.
 */
export async function askBackend(
  address: BackendAddress,
  connect: Connector,
  monotonicMs: () => number,
): Promise<BackendAnswer> {
  const { host, port, tls } = address;
  const startedMs = monotonicMs();
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  let connection: Connection;
  try {
    connection = await within(deadline, connect(connectHost(host), port, tls ? { serverName: host } : undefined));
  } catch (error) {
    const why = deadline.aborted ? `no connection within ${TIMEOUT_MS} ms` : (error as Error).message;
    throw new BackendError(`Cannot connect to ${host}:${port}: ${why}`, { cause: error });
  }
  const connectMs = monotonicMs() - startedMs;
  try {
    const writer = connection.writable.getWriter();
    // HTTP/1.0, so that the end of the connection ends the answer.
    await writer.write(new TextEncoder().encode(`GET / HTTP/1.0\r\nHost: ${host}:${port}\r\nAccept: */*\r\n\r\n`));
    return { connectMs, ...parseAnswer(await readAll(connection.readable, deadline)) };
  } catch {
    // It hung up on the request: connected all the same.
    return { connectMs, status: undefined, text: "" };
  } finally {
    connection.close();
  }
}

async function within<T extends { close(): void }>(signal: AbortSignal, opening: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const abort = () => late.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([opening, late.promise]);
  } catch (error) {
    opening.then((connection) => connection.close(), () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function readAll(readable: ReadableStream<Uint8Array>, deadline: AbortSignal): Promise<string> {
  const reader = readable.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  deadline.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  try {
    while (length < MAX_ANSWER_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    if (text === "") throw error;
  } finally {
    deadline.removeEventListener("abort", cancel);
  }
  return text;
}

function parseAnswer(text: string): { status: number | undefined; text: string } {
  const match = /^HTTP\/\d\.\d (\d{3})[^\n]*\n/.exec(text);
  if (match === null) return { status: undefined, text };
  const end = /\r?\n\r?\n/.exec(text);
  return { status: Number(match[1]), text: end === null ? "" : text.slice(end.index + end[0].length) };
}
