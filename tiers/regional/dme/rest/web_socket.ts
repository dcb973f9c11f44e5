import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { acceptWebSocket } from "../../../../shared/runtime/mod.ts";
import { dme } from "../../../../shared/schema/mod.ts";
import type { Caller } from "../api/mod.ts";
import { EdgeConnection, open } from "../edge/mod.ts";
import { type EdgeHttp, eventJson } from "./edge_streams.ts";
import { errorBody, MAX_MESSAGE_BYTES, messageOf } from "./messages.ts";

/** Events of one client that may wait for their turn. */
const MAX_WAITING = 64;

/** Close codes: well, going away, and for a gRPC status this plus its code. */
const NORMAL = 1000, GOING_AWAY = 1001, STATUS_BASE = 4000;

/** Longest reason that fits into a close frame, octets. */
const MAX_REASON_BYTES = 123;

/** Serves an event stream on a WebSocket: a text message for each event, in the JSON of the REST form. */
export async function edgeWebSocket(http: EdgeHttp, request: Request, caller: Caller): Promise<Response> {
  const { edge } = http;
  await open(edge, caller);
  const { response, socket } = acceptWebSocket(request);
  let ended: { error: RpcError | undefined } | undefined;
  let left = () => {};
  const connection = new EdgeConnection(edge, caller, {
    send(event) {
      if (socket.bufferedAmount > edge.limits.queuedBytes) return false;
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(eventJson(event)));
      return true;
    },
    end(error, cut) {
      ended = { error };
      // The runtime cannot break off a WebSocket: one that is not read stays until its client goes.
      if (socket.readyState !== WebSocket.CLOSED) left = edge.linger();
      if (socket.readyState === WebSocket.OPEN) close(socket, error, cut);
    },
  });
  let turn = Promise.resolve();
  let waiting = 0;
  socket.addEventListener("open", () => {
    if (ended !== undefined) close(socket, ended.error, false);
  });
  socket.addEventListener("message", ({ data }) => {
    if (connection.over) return;
    if (++waiting > MAX_WAITING) {
      connection.end(new RpcError(Status.RESOURCE_EXHAUSTED, "Events come faster than they are taken"));
      return;
    }
    turn = turn.then(() => receive(connection, data)).finally(() => waiting--);
  });
  socket.addEventListener("close", () => {
    connection.inputEnded();
    left();
  });
  // What was wrong says the close event that follows.
  socket.addEventListener("error", () => connection.end(new RpcError(Status.CANCELLED, "The client has gone"), true));
  return response;
}

async function receive(connection: EdgeConnection, data: unknown): Promise<void> {
  try {
    await connection.receive(messageOf(dme.ClientEdgeEvent, parse(data)));
  } catch (error) {
    connection.end(RpcError.from(error));
  }
}

function parse(data: unknown): unknown {
  if (typeof data !== "string") {
    throw new RpcError(Status.INVALID_ARGUMENT, "Events are text messages, not binary ones");
  }
  // A character is at most three octets.
  if (data.length > MAX_MESSAGE_BYTES) {
    throw new RpcError(Status.INVALID_ARGUMENT, `An event is too long: at most ${MAX_MESSAGE_BYTES} are accepted`);
  }
  try {
    return JSON.parse(data);
  } catch {
    throw new RpcError(Status.INVALID_ARGUMENT, "An event is not JSON");
  }
}

function close(socket: WebSocket, error: RpcError | undefined, cut: boolean): void {
  if (error === undefined) return socket.close(NORMAL);
  if (!cut) socket.send(JSON.stringify(errorBody(error)));
  socket.close(error.code === Status.UNAVAILABLE ? GOING_AWAY : STATUS_BASE + error.code, reason(error.message));
}

function reason(text: string): string {
  const bytes = new Uint8Array(MAX_REASON_BYTES);
  const { read } = new TextEncoder().encodeInto(text, bytes);
  return text.slice(0, read);
}
