// An event stream by every form that carries one, under one interface, so that a test can be run over all of them.
import { httpStatusOf } from "../../../../shared/http/mod.ts";
import { createChannel, createClient, RpcError, Status, type Status as Code } from "../../../../shared/rpc/mod.ts";
import { serveHttp } from "../../../../shared/runtime/mod.ts";
import { dme, fromJson, toJson } from "../../../../shared/schema/mod.ts";
import type { TestRegion } from "./region.ts";

export type ClientEvent = NonNullable<Parameters<typeof dme.ClientEdgeEvent.create>[0]>;
export type ServerEvent = dme.ServerEdgeEvent;

export interface EdgeStream {
  send(event: ClientEvent): Promise<void>;
  /** Sends what need not be an event; on a WebSocket only. */
  sendText?(data: string | Uint8Array<ArrayBuffer>): void;
  /** The next event; undefined when the stream has ended well, rejects with its status when not. */
  next(): Promise<ServerEvent | undefined>;
  /** Sends no more. */
  finish(): void;
  /** Breaks off. */
  close(): void;
}

export interface EdgeFace {
  readonly name: string;
  open(first: ClientEvent): Promise<EdgeStream>;
  close(): Promise<void>;
}

/** Values that wait for a reader, or a reader that waits for one. */
export class Pipe<T> {
  readonly #values: T[] = [];
  #end: { error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  put(value: T): void {
    this.#values.push(value);
    this.#wake?.();
  }

  end(error?: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async next(): Promise<T | undefined> {
    for (;;) {
      if (this.#values.length > 0) return this.#values.shift();
      if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return undefined;
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (let value = await this.next(); value !== undefined; value = await this.next()) yield value;
  }
}

export async function grpcFace(region: TestRegion): Promise<EdgeFace> {
  const { server, address } = await region.grpcServer();
  return { ...grpcFaceAt(address), close: () => server.close() };
}

export function grpcFaceAt(address: string, tls?: { ca: string }): EdgeFace {
  const channel = createChannel({ address, tls });
  const client = createClient(dme.MatchEngineApi, channel);
  return {
    name: "gRPC",
    async open(first) {
      const requests = new Pipe<dme.ClientEdgeEvent>();
      const abort = new AbortController();
      const replies = client.streamEdgeEvent(requests, { signal: abort.signal })[Symbol.asyncIterator]();
      const stream: EdgeStream = {
        send: (event) => Promise.resolve(requests.put(dme.ClientEdgeEvent.create(event))),
        next: async () => (await replies.next()).value,
        finish: () => requests.end(),
        close: () => abort.abort(),
      };
      await stream.send(first);
      return stream;
    },
    close: () => Promise.resolve(channel.close()),
  };
}

const encoder = new TextEncoder();
const eventText = (event: ClientEvent) =>
  JSON.stringify(toJson(dme.ClientEdgeEvent, dme.ClientEdgeEvent.create(event), "dme"));
const readEvent = (json: unknown) => fromJson(dme.ServerEdgeEvent, json as never, "dme");

async function restFace(
  region: TestRegion,
  name: string,
  open: (url: string, first: ClientEvent) => Promise<EdgeStream>,
) {
  const listener = await serveHttp({ hostname: "127.0.0.1", port: 0, handler: region.rest });
  return {
    name,
    open: (first: ClientEvent) => open(`${listener.url}/v1/streamedgeevent`, first),
    close: () => listener.close(),
  };
}

export function webSocketFace(region: TestRegion): Promise<EdgeFace> {
  return restFace(region, "WebSocket", async (url, first) => {
    const socket = new WebSocket(url.replace("http", "ws"));
    const events = new Pipe<ServerEvent>();
    let last: { code: Code; message: string } | undefined;
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("The WebSocket could not be opened"));
    });
    socket.onerror = () => {};
    socket.onmessage = ({ data }) => {
      const json = JSON.parse(data);
      if ("code" in json) last = json;
      else events.put(readEvent(json));
    };
    socket.onclose = ({ code, reason }) => {
      if (code === 1000) return events.end();
      const status = code === 1001 ? Status.UNAVAILABLE : code - 4000 as Code;
      if (last !== undefined && last.code !== status) events.end(new Error(`Closed with ${code}, told ${last.code}`));
      events.end(new RpcError(status, last?.message ?? reason));
    };
    const send = (event: ClientEvent) => Promise.resolve(socket.send(eventText(event)));
    await send(first);
    return {
      send,
      sendText: (data) => socket.send(data),
      next: () => events.next(),
      finish: () => socket.close(),
      close: () => socket.close(),
    };
  });
}

export function linesFace(region: TestRegion): Promise<EdgeFace> {
  return restFace(region, "JSON lines", async (url, first) => {
    const requests = new Pipe<Uint8Array>();
    const abort = new AbortController();
    const send = (event: ClientEvent) => Promise.resolve(requests.put(encoder.encode(eventText(event))));
    await send(first);
    const body = ReadableStream.from(requests);
    const response = await fetch(url, { method: "POST", body, signal: abort.signal });
    const events = new Pipe<ServerEvent>();
    void readLines(response, (line) => {
      if (line === "") return;
      const { result, error } = JSON.parse(line);
      if (error === undefined) return events.put(readEvent(result));
      if (error.http_code !== httpStatusOf(error.grpc_code)) events.end(new Error(`Wrong ${line}`));
      events.end(new RpcError(error.grpc_code, error.message));
    }).then(() => events.end(), (error) => events.end(error));
    return { send, next: () => events.next(), finish: () => requests.end(), close: () => abort.abort() };
  });
}

export function eventSourceFace(region: TestRegion): Promise<EdgeFace> {
  return restFace(region, "server-sent events", async (url, first) => {
    const query = new URLSearchParams({
      session_cookie: first.sessionCookie ?? "",
      edge_events_cookie: first.edgeEventsCookie ?? "",
      device_os: first.deviceInfoStatic?.deviceOs ?? "",
      device_model: first.deviceInfoStatic?.deviceModel ?? "",
      carrier_name: first.deviceInfoDynamic?.carrierName ?? "",
      data_network_type: first.deviceInfoDynamic?.dataNetworkType ?? "",
    });
    const abort = new AbortController();
    const response = await fetch(`${url}?${query}`, {
      headers: { accept: "text/event-stream" },
      signal: abort.signal,
    });
    const events = new Pipe<ServerEvent>();
    const named = Promise.withResolvers<string>();
    let type = "message";
    void readLines(response, (line) => {
      if (line === "") return void (type = "message");
      const [field, ...rest] = line.split(": ");
      const value = rest.join(": ");
      if (field === "event") return void (type = value);
      const json = JSON.parse(value);
      if (type === "stream") named.resolve(json.stream);
      else if (type === "failure") events.end(new RpcError(json.code, json.message));
      else events.put(readEvent(json));
    }).then(() => events.end(), (error) => events.end(error));
    return {
      async send(event) {
        const answer = await fetch(`${url}?stream=${await named.promise}`, { method: "POST", body: eventText(event) });
        const json = await answer.json();
        if (answer.status !== 200) throw new RpcError(json.code, json.message);
      },
      next: () => events.next(),
      finish: () => abort.abort(),
      close: () => abort.abort(),
    };
  });
}

async function readLines(response: Response, take: (line: string) => void): Promise<void> {
  let held = "";
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (held + text).split("\n");
    held = lines.pop()!;
    for (const line of lines) take(line);
  }
}

export const FACES = [grpcFace, webSocketFace, linesFace, eventSourceFace];
