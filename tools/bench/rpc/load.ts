import {
  connect as connectHttp2,
  connectNodeTls,
  type Http2Client,
  type Http2Limits,
  PreparedHeaders,
} from "../../../shared/http2/mod.ts";
import { benchApi, encodeOrder, type Order, UNARY_BYTES } from "./api.ts";

/** Whom to load, and who we are. */
export interface Target {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** How much load. */
export interface UnaryLoad {
  readonly connections: number;
  /** Calls at once on each connection. */
  readonly inFlight: number;
  readonly calls: number;
}

const PREFIX_BYTES = 5;

function headers(path: string): PreparedHeaders {
  return new PreparedHeaders([
    [":method", "POST"],
    [":scheme", "https"],
    [":path", path],
    [":authority", "localhost"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
  ]);
}

const UNARY = headers(benchApi.methods.unary.path);
const STREAM = headers(benchApi.methods.stream.path);
const WATCH = headers(benchApi.methods.watch.path);

function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

const REQUEST = framed(new Uint8Array(UNARY_BYTES));

/**
 * Connects without the layers of `shared/rpc`: a load costs as little as it can. Over `node:tls`, for `Deno.connectTls` has no
 * TCP_NODELAY, and a request behind the first SETTINGS would wait 44 ms.
 */
export async function dial({ port, ca, cert, key }: Target, limits?: Partial<Http2Limits>): Promise<Http2Client> {
  const where = { hostname: "127.0.0.1", port, serverName: "localhost" };
  const client = connectHttp2(await connectNodeTls({ ...where, ca: [ca], cert, key }), { limits });
  await client.ready;
  return client;
}

/** One call; whether it ended OK with an answer of the right length. */
export function call(client: Http2Client, done: (ok: boolean) => void): void {
  const stream = client.open(UNARY);
  stream.end(REQUEST);
  stream.collect(2 * REQUEST.length, (error, body) => {
    done(
      error === null && body.length === REQUEST.length &&
        (stream.trailers ?? []).some(([name, value]) => name === "grpc-status" && value === "0"),
    );
  });
}

/** Unary calls as fast as they are answered: ms for all, and how many failed. */
export async function loadUnary(target: Target, load: UnaryLoad): Promise<{ ms: number; failed: number }> {
  const clients = await Promise.all(Array.from({ length: load.connections }, () => dial(target)));
  let started = 0;
  let ended = 0;
  let failed = 0;
  const all = Promise.withResolvers<void>();
  function next(client: Http2Client): void {
    if (started === load.calls) return;
    started++;
    call(client, (ok) => {
      if (!ok) failed++;
      if (++ended === load.calls) all.resolve();
      next(client);
    });
  }
  const begun = performance.now();
  for (const client of clients) for (let i = 0; i < load.inFlight; i++) next(client);
  await all.promise;
  const ms = performance.now() - begun;
  for (const client of clients) client.close();
  return { ms, failed };
}

/** Connections of one call each, `parallel` at once: how many calls failed, and why the first of them did. */
export async function loadConnections(
  target: Target,
  connections: number,
  parallel: number,
): Promise<{ failed: number; why?: string }> {
  let left = connections;
  let failed = 0;
  let why: string | undefined;
  async function worker(): Promise<void> {
    while (left-- > 0) {
      try {
        const client = await dial(target);
        const ok = await new Promise<boolean>((resolve) => call(client, resolve));
        if (!ok) throw new Error("call did not end OK");
        await client.shutdown();
      } catch (error) {
        failed++;
        why ??= String(error);
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker));
  return { failed, why };
}

/** Streams, each on a connection of its own, that are never read: their windows shut after `windowBytes`. */
export async function stall(target: Target, order: Order, count: number, windowBytes: number): Promise<Http2Client[]> {
  const clients: Http2Client[] = [];
  for (let i = 0; i < count; i++) {
    const client = await dial(target, { streamWindowBytes: windowBytes });
    client.open(STREAM).end(framed(encodeOrder(order)));
    clients.push(client);
  }
  return clients;
}

/** A stream that waits for pushes: resolves when it stands, and from then on hands up every message. */
export async function watch(client: Http2Client, onMessage: (message: Uint8Array) => void): Promise<void> {
  const stream = client.open(WATCH);
  stream.end(framed(new Uint8Array()));
  await stream.read();
  (async () => {
    // A push is far smaller than a frame and comes alone.
    for await (const bytes of stream) onMessage(bytes.subarray(PREFIX_BYTES));
  })().catch(() => {});
}
