import { MatchError, statusError } from "../errors.ts";
import { objectOf } from "../json.ts";
import type { OpenCarrier } from "./link.ts";

/** The part of a browser's WebSocket that the SDK needs. */
export interface SocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number): void;
  onopen: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent) => unknown) | null;
  onclose: ((event: CloseEvent) => unknown) | null;
  onerror: ((event: Event) => unknown) | null;
}

/** Makes a WebSocket. */
export type SocketMaker = (url: string) => SocketLike;

const OPEN = 1;

/** Codes of a close frame: well, and going away; above the last number they are a gRPC status. */
const NORMAL = 1000, GOING_AWAY = 1001, STATUS_BASE = 4000;

/** Carries streams by WebSocket: a text message for each event. */
export function webSocketCarrier(make: SocketMaker, url: string): OpenCarrier {
  return (init, { message, ended }) => {
    let over = false;
    const end = (error: MatchError | undefined) => {
      if (over) return;
      over = true;
      ended(error);
    };
    const unreachable = (cause?: unknown) => new MatchError("UNAVAILABLE", "The WebSocket is lost", { cause });
    let socket: SocketLike;
    try {
      socket = make(url.replace(/^http/, "ws"));
    } catch (error) {
      // Not from here: the caller has no carrier yet.
      queueMicrotask(() => end(unreachable(error)));
      return { send: () => {}, close: () => end(undefined) };
    }
    const send = (event: object) => {
      if (!over && socket.readyState === OPEN) socket.send(JSON.stringify(event));
    };
    socket.onopen = () => send(init);
    socket.onmessage = ({ data }) => {
      if (over) return;
      try {
        message(objectOf(JSON.parse(String(data))));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        socket.close();
        end(new MatchError("INTERNAL", "A message of the stream is not JSON", { cause: error }));
      }
    };
    // A close event follows, which says as much: pages are not told more.
    socket.onerror = () => {};
    socket.onclose = ({ code, reason }) => {
      if (code === NORMAL) return end(undefined);
      if (code === GOING_AWAY) return end(new MatchError("UNAVAILABLE", reason || "The matching engine goes away"));
      end(code > STATUS_BASE ? statusError(code - STATUS_BASE, reason) : unreachable());
    };
    return {
      send,
      close() {
        socket.close();
        end(undefined);
      },
    };
  };
}
