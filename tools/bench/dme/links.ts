// Connections of devices, as lean as they can be: the load shares the machine with what it measures.
import { Buffer } from "node:buffer";
import { connect, type TLSSocket } from "node:tls";
import {
  connect as connectHttp2,
  connectNodeTls,
  type Http2Client,
  PreparedHeaders,
} from "../../../shared/http2/mod.ts";

/** Paths of FindCloudlet. */
export const FIND_PATH = "/distributed_match_engine.MatchEngineApi/FindCloudlet";
export const REST_FIND_PATH = "/v1/findcloudlet";
const EVENTS_PATH = "/distributed_match_engine.MatchEngineApi/StreamEdgeEvent";

/** Whom to call. */
export interface Target {
  readonly port: number;
  readonly ca: string;
}

/** A connection that has one request under way at a time. */
export interface RestLink {
  /** The body of the answer. @throws {Error} When its status is not 200. */
  post(path: string, body: string): Promise<Buffer>;
  close(): void;
}

/** Octets that a socket reads at once, into one buffer: several times faster than events. */
const READ_BYTES = 65_536;
const HEAD_END = Buffer.from("\r\n\r\n");

/** Opens a connection. @param keepAlive whether it is used again */
export function openRest({ port, ca }: Target, keepAlive = true): Promise<RestLink> {
  let waiting: { resolve(body: Buffer): void; reject(error: Error): void } | undefined;
  let held: Buffer = Buffer.alloc(0);
  const fail = (error: Error) => waiting?.reject(error);
  function take(bytes: Buffer): void {
    held = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes]);
    const end = held.indexOf(HEAD_END);
    if (end < 0) return;
    const head = held.toString("latin1", 0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    if (!Number.isFinite(length)) return fail(new Error(`No length in ${head}`));
    const start = end + HEAD_END.length;
    if (held.length < start + length) return;
    const body = held.subarray(start, start + length);
    held = Buffer.alloc(0);
    const { resolve, reject } = waiting!;
    waiting = undefined;
    if (head.startsWith("HTTP/1.1 200 ")) resolve(body);
    else reject(new Error(`${head.split("\r\n")[0]}: ${body.toString()}`));
  }
  return new Promise((opened, refused) => {
    const onread = {
      buffer: new Uint8Array(READ_BYTES),
      callback(count: number, buffer: Uint8Array) {
        take(Buffer.from(buffer.buffer, buffer.byteOffset, count));
        return true;
      },
    };
    const where = { host: "127.0.0.1", port, servername: "localhost", ca, ...{ onread } };
    const socket: TLSSocket = connect(where, () => {
      socket.setNoDelay(true);
      opened({
        post(path, body) {
          const connection = keepAlive ? "" : "connection: close\r\n";
          socket.write(
            `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${connection}` +
              `content-length: ${body.length}\r\n\r\n${body}`,
          );
          return new Promise((resolve, reject) => waiting = { resolve, reject });
        },
        close: () => socket.destroy(),
      });
    });
    socket.on("error", (error) => {
      refused(error);
      fail(error);
    });
    socket.on("close", () => fail(new Error("The connection was closed")));
  });
}

const headers = (path: string) =>
  new PreparedHeaders([
    [":method", "POST"],
    [":scheme", "https"],
    [":path", path],
    [":authority", "localhost"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
  ]);

const FIND = headers(FIND_PATH);
const EVENTS = headers(EVENTS_PATH);
/** Octets before a message: whether it is compressed, and its length. */
const PREFIX_BYTES = 5;
const MAX_REPLY_BYTES = 65_536;

/** Opens an HTTP/2 connection. */
export async function openGrpc({ port, ca }: Target): Promise<Http2Client> {
  const client = connectHttp2(
    await connectNodeTls({ hostname: "127.0.0.1", port, serverName: "localhost", ca: [ca] }),
  );
  await client.ready;
  return client;
}

function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** One FindCloudlet: its reply, encoded. @throws {Error} When its status is not OK. */
export function findByGrpc(client: Http2Client, request: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const stream = client.open(FIND);
    stream.end(framed(request));
    stream.collect(MAX_REPLY_BYTES, (error, body) => {
      if (error !== null) return reject(error);
      const trailers = stream.trailers ?? [];
      if (trailers.some(([name, value]) => name === "grpc-status" && value === "0")) {
        return resolve(body.subarray(PREFIX_BYTES));
      }
      reject(new Error(`A call ended with ${trailers.map((pair) => pair.join(": ")).join(", ")}`));
    });
  });
}

/**
 * Opens an event stream: resolves with the first event. @param onEvent told of each that follows, framed, as it comes
 * @throws {Error} When the stream ends before.
 */
export async function openEvents(
  client: Http2Client,
  first: Uint8Array,
  onEvent: (bytes: Uint8Array) => void,
): Promise<Uint8Array> {
  const stream = client.open(EVENTS);
  void stream.write(framed(first));
  const reply = await stream.read();
  if (reply === null) throw new Error(`An event stream ended: ${JSON.stringify(stream.trailers)}`);
  (async () => {
    for await (const bytes of stream) onEvent(bytes);
  })().catch(() => {});
  return reply.subarray(PREFIX_BYTES);
}
