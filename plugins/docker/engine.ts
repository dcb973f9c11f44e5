import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { PlatformError } from "../../shared/platform/mod.ts";

/** Newest version of the engine's interface whose behaviour this client knows. */
const KNOWN_VERSION = "1.41";
/** Longest answer that is read whole. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Longest wait for an answer that does not stream. */
const ANSWER_TIMEOUT_MS = 120_000;

/** An answer of the engine that is an error. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** One call of the engine. */
export interface EngineCall {
  readonly method?: "GET" | "POST" | "DELETE";
  /** Path without version, with encoded parts. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** @default 120000 */
  readonly timeoutMs?: number;
}

/** The Docker Engine's HTTP interface. */
export interface Engine {
  /** Calls and parses the JSON answer; undefined for an empty one. Throws {@linkcode EngineError} or PlatformError (Transient). */
  call(call: EngineCall): Promise<unknown>;
  /** Calls and returns the raw answer. */
  bytes(call: EngineCall): Promise<Uint8Array>;
  /** Calls and yields the raw answer as it comes; who does not ask for more holds the engine up. */
  stream(call: EngineCall): AsyncIterable<Uint8Array>;
  /** Calls and yields the JSON objects of an answer of one object a line. */
  lines(call: EngineCall): AsyncIterable<Record<string, unknown>>;
}

/** A client of the engine at `unix:///path` or `tcp://host:port`. */
export function connectEngine(address: string): Engine {
  const place = placeOf(address);
  let version: Promise<string> | undefined;

  async function open(call: EngineCall, path: string): Promise<IncomingMessage> {
    const search = new URLSearchParams(call.query).toString();
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const response = await send(
      address,
      (onResponse) =>
        request({
          ...place,
          agent: false,
          method: call.method ?? "GET",
          path: search === "" ? path : `${path}?${search}`,
          headers: body === undefined ? { host: "docker" } : {
            host: "docker",
            "content-type": "application/json",
            "content-length": new TextEncoder().encode(body).length,
          },
          signal: call.signal,
        }, onResponse),
      body,
      call,
    );
    if ((response.statusCode ?? 0) < 400) return response;
    throw new EngineError(response.statusCode ?? 0, messageOf(await readAll(response)));
  }

  async function versioned(call: EngineCall): Promise<IncomingMessage> {
    version ??= negotiate(() => open({ path: "/version" }, "/version"));
    try {
      return await open(call, `/v${await version}${call.path}`);
    } catch (error) {
      // an engine that could not be reached may be another one next time
      if (error instanceof PlatformError) version = undefined;
      throw error;
    }
  }

  return {
    async call(call) {
      const bytes = await readAll(await versioned(call));
      return bytes.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(bytes));
    },
    bytes: async (call) => await readAll(await versioned(call)),
    async *stream(call) {
      try {
        for await (const chunk of await versioned(call)) yield chunk as Uint8Array;
      } catch (error) {
        // An answer that is given up breaks off with an error of the connection.
        throw call.signal?.aborted ? call.signal.reason : error;
      }
    },
    async *lines(call) {
      let rest = "";
      const decoder = new TextDecoder();
      for await (const chunk of await versioned(call)) {
        const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
        rest = parts.pop()!;
        for (const line of parts) if (line.trim() !== "") yield JSON.parse(line);
      }
      if (rest.trim() !== "") yield JSON.parse(rest);
    },
  };
}

function placeOf(address: string): { socketPath: string } | { host: string; port: number } {
  if (address.startsWith("unix://")) return { socketPath: address.slice("unix://".length) };
  const { hostname, port } = new URL(address.replace(/^tcp:/, "http:"));
  return { host: hostname, port: Number(port || 80) };
}

function send(
  address: string,
  start: (onResponse: (response: IncomingMessage) => void) => ClientRequest,
  body: string | undefined,
  call: EngineCall,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const timeoutMs = call.timeoutMs ?? ANSWER_TIMEOUT_MS;
    const outgoing = start((response) => {
      clearTimeout(limit);
      resolve(response);
    });
    const limit = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    outgoing.on("error", (error: Error & { code?: string }) => {
      clearTimeout(limit);
      if (call.signal?.aborted) return reject(call.signal.reason);
      reject(
        new PlatformError(
          "Transient",
          `The Docker Engine at ${address} cannot be reached: ${error.code ?? error.message}`,
          {
            cause: error,
          },
        ),
      );
    });
    outgoing.end(body);
  });
}

async function readAll(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += (chunk as Uint8Array).length;
    if (size > MAX_ANSWER_BYTES) {
      throw new EngineError(0, `The engine's answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk as Uint8Array);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function negotiate(ask: () => Promise<IncomingMessage>): Promise<string> {
  const answer = JSON.parse(new TextDecoder().decode(await readAll(await ask())));
  const newest = String(answer.ApiVersion ?? KNOWN_VERSION);
  const oldest = String(answer.MinAPIVersion ?? "1.12");
  if (compareVersions(newest, KNOWN_VERSION) < 0) return newest;
  return compareVersions(oldest, KNOWN_VERSION) > 0 ? oldest : KNOWN_VERSION;
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(".").map(Number)) as [number[], number[]];
  return (left[0]! - right[0]!) || ((left[1] ?? 0) - (right[1] ?? 0));
}

function messageOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes).trim();
  try {
    return String(JSON.parse(text).message ?? text);
  } catch {
    return text.slice(0, 500);
  }
}
