import { readJsonObjects } from "../../../../shared/http/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { dme, toJson } from "../../../../shared/schema/mod.ts";
import type { Caller } from "../api/mod.ts";
import { EdgeConnection, type EdgeDesk, open, Outbox } from "../edge/mod.ts";
import { errorBody, errorLine, MAX_MESSAGE_BYTES, messageOf, requestFault } from "./messages.ts";
import { type StreamForm, streamResponse } from "./stream_response.ts";

type ServerEvent = dme.ServerEdgeEvent;

/** What the HTTP forms of event streams work with. */
export interface EdgeHttp {
  readonly edge: EdgeDesk;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly onError: (error: RpcError) => void;
}

/** Connects a response that takes events one by one with a connection. */
function openStream({ edge }: EdgeHttp, caller: Caller, signal: AbortSignal) {
  let cut: ((error: RpcError) => void) | undefined;
  const outbox = new Outbox({ capacity: edge.limits.queuedEvents, cut: (error) => cut?.(error) });
  const connection = new EdgeConnection(edge, caller, outbox);
  const gone = () => connection.end(new RpcError(Status.CANCELLED, "The client has gone"), true);
  signal.addEventListener("abort", gone, { once: true });
  const messages: AsyncIterator<ServerEvent> = {
    next: () => outbox.next(),
    return() {
      gone();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { connection, messages, onStart: (how: (error: RpcError) => void) => void (cut = how) };
}

/** A stream that holds nothing but why there is none; undefined when there may be one. */
async function refused({ edge }: EdgeHttp, caller: Caller): Promise<AsyncIterator<ServerEvent> | undefined> {
  try {
    await open(edge, caller);
    return undefined;
  } catch (error) {
    return { next: () => Promise.reject(error) };
  }
}

const LINES: StreamForm<ServerEvent> = {
  contentType: "application/json",
  message: (event) => `${JSON.stringify({ result: eventJson(event) })}\n`,
  error: (error) => `${JSON.stringify(errorLine(error))}\n`,
};

/** The form of the specification: JSON objects one after another in the body, a line for each event in the answer. */
export async function edgeLines(
  http: EdgeHttp,
  request: Request,
  caller: Caller,
  headers: Record<string, string>,
): Promise<Response> {
  const options = { form: LINES, headers, clock: http.edge.clock, onError: http.onError };
  const refusal = await refused(http, caller);
  if (refusal !== undefined) {
    // A body without end is not waited for.
    request.body?.cancel().catch(() => {});
    return streamResponse(refusal, options);
  }
  const { connection, messages, onStart } = openStream(http, caller, request.signal);
  void readEvents(connection, request.body);
  return streamResponse(messages, { ...options, onStart });
}

async function readEvents(connection: EdgeConnection, body: ReadableStream<Uint8Array> | null): Promise<void> {
  const reader = (body ?? ReadableStream.from<Uint8Array>([])).getReader();
  // A client that sends on, or nothing but keeps its body open, would hold the request when its answer has ended.
  connection.onEnd = () => void reader.cancel().catch(() => {});
  try {
    for await (const json of readJsonObjects(chunksOf(reader), MAX_MESSAGE_BYTES)) {
      await connection.receive(messageOf(dme.ClientEdgeEvent, json));
      if (connection.over) return;
    }
    connection.inputEnded();
  } catch (thrown) {
    const error = requestFault(thrown);
    const broken = error instanceof RpcError ? error : new RpcError(Status.CANCELLED, "The client has gone");
    connection.end(broken);
  }
}

async function* chunksOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

/** An event as JSON of the REST form. */
export function eventJson(event: ServerEvent): unknown {
  return toJson(dme.ServerEdgeEvent, event, "dme");
}

const EVENT_SOURCE: StreamForm<ServerEvent> = {
  contentType: "text/event-stream",
  message: (event) => `data: ${JSON.stringify(eventJson(event))}\n\n`,
  // Not named "error", which is what a page gets for a broken connection.
  error: (error) => `event: failure\ndata: ${JSON.stringify(errorBody(error))}\n\n`,
};

/** Octets of the random name of a stream, by which its client's events find it. */
const STREAM_NAME_BYTES = 16;

/** Event streams for clients that have no WebSocket: server-sent events down, single requests up. */
export class EventSources {
  readonly #http: EdgeHttp;
  readonly #open = new Map<string, { connection: EdgeConnection; turn: Promise<void> }>();

  constructor(http: EdgeHttp) {
    this.#http = http;
  }

  /** Opens a stream with the cookies that the address holds: a page can give nothing else. */
  async open(request: Request, caller: Caller, headers: Record<string, string>): Promise<Response> {
    const { edge, randomBytes, onError } = this.#http;
    const options = { headers, clock: edge.clock, onError };
    const refusal = await refused(this.#http, caller);
    if (refusal !== undefined) return streamResponse(refusal, { ...options, form: EVENT_SOURCE });
    const query = new URL(request.url).searchParams;
    const { connection, messages, onStart } = openStream(this.#http, caller, request.signal);
    const name = randomBytes(STREAM_NAME_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
    await connection.receive(dme.ClientEdgeEvent.create({
      eventType: dme.ClientEdgeEvent_ClientEventType.EVENT_INIT_CONNECTION,
      sessionCookie: query.get("session_cookie") ?? "",
      edgeEventsCookie: query.get("edge_events_cookie") ?? "",
      deviceInfoStatic: { deviceOs: query.get("device_os") ?? "", deviceModel: query.get("device_model") ?? "" },
      deviceInfoDynamic: {
        dataNetworkType: query.get("data_network_type") ?? "",
        carrierName: query.get("carrier_name") ?? "",
      },
    }));
    const head = connection.over ? "" : `event: stream\ndata: ${JSON.stringify({ stream: name })}\n\n`;
    if (!connection.over) {
      this.#open.set(name, { connection, turn: Promise.resolve() });
      connection.onEnd = () => this.#open.delete(name);
    }
    return streamResponse(messages, { ...options, form: { ...EVENT_SOURCE, head }, onStart });
  }

  /**
   * Takes events for a stream that is open in this process.
   *
   * @throws {RpcError} NOT_FOUND when it is not; then it is to be opened again.
   */
  async take(name: string, body: ReadableStream<Uint8Array> | null): Promise<void> {
    const stream = this.#open.get(name);
    if (stream === undefined) throw new RpcError(Status.NOT_FOUND, "No such event stream here; open another one");
    try {
      for await (const json of readJsonObjects(body ?? ReadableStream.from([]), MAX_MESSAGE_BYTES)) {
        const event = messageOf(dme.ClientEdgeEvent, json);
        // One after another, also when requests overlap.
        stream.turn = stream.turn.then(() => stream.connection.receive(event));
        await stream.turn;
      }
    } catch (error) {
      throw requestFault(error);
    }
  }
}
