import { type Channel, type ChannelOptions, createChannel } from "../channel.ts";
import { type Client, createClient } from "../client.ts";
import type { ClientDefaults } from "../client_call.ts";
import type { Handlers } from "../handlers.ts";
import { type Codec, type Method, rawBytes } from "../method.ts";
import { createServer, type RpcServer, type ServerOptions } from "../server.ts";
import type { ClientTransport, ServerTransport } from "../transport.ts";

/** The pair under test. */
export interface Transports {
  readonly server: ServerTransport;
  readonly client: ClientTransport;
  /** The client may lose the last messages of a stream that ends with an error. */
  readonly losesMessagesBeforeError?: boolean;
  /** A sender is not stopped by a reader that stands: the library below takes whatever it is given. */
  readonly unboundedSending?: boolean;
  /** The server sends every message as it is. */
  readonly serverNeverCompresses?: boolean;
  /** The client sends every message as it is. */
  readonly clientNeverCompresses?: boolean;
}

/** Longest wait for anything in these tests, ms. */
export const WAIT_MS = 30_000;

const text: Codec<string> = {
  encode: (value) => new TextEncoder().encode(value),
  decode(bytes) {
    const value = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (value === "undecodable") throw new Error("secret of the decoder");
    return value;
  },
};

type Shape<Q extends boolean, R extends boolean> = Method<string, string> & {
  readonly requestStream: Q;
  readonly responseStream: R;
};

function method<Q extends boolean, R extends boolean>(name: string, requestStream: Q, responseStream: R): Shape<Q, R> {
  return { path: `/test.Echo/${name}`, requestStream, responseStream, input: text, output: text };
}

/** The service that these tests serve and call. */
export const Echo = {
  name: "test.Echo",
  methods: {
    unary: method("Unary", false, false),
    missing: method("Missing", false, false),
    download: method("Download", false, true),
    upload: method("Upload", true, false),
    chat: method("Chat", true, true),
  },
} as const;

/** The same paths with other shapes and raw bytes, to send what a well-behaved client cannot. */
export const Crooked = {
  name: "test.Echo",
  methods: {
    unaryAsStream: { ...Echo.methods.chat, path: Echo.methods.unary.path },
    chatAsUnary: { ...Echo.methods.unary, path: Echo.methods.chat.path },
    unaryRaw: { ...Echo.methods.unary, input: rawBytes, output: rawBytes },
  },
} as const;

/** A server and a channel to it, shut at the end of the test. */
export interface Bench extends AsyncDisposable {
  readonly server: RpcServer;
  readonly address: string;
  readonly channel: Channel;
  readonly echo: Client<typeof Echo>;
  /** A further channel, closed with the rest. */
  connect(options?: Partial<ChannelOptions>): Channel;
}

/** Starts a server with the handlers and a client for it. */
export async function bench(
  transports: Transports,
  handlers: Handlers<typeof Echo>,
  server: ServerOptions = {},
  channel: Partial<ChannelOptions> = {},
  defaults: ClientDefaults = {},
): Promise<Bench> {
  const rpcServer = createServer({ ...server, transport: transports.server });
  rpcServer.addService(Echo, handlers);
  const { port } = await rpcServer.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${port}`;
  const channels: Channel[] = [];
  function connect(options: Partial<ChannelOptions> = {}): Channel {
    const made = createChannel({ address, transport: transports.client, ...options });
    channels.push(made);
    return made;
  }
  const first = connect(channel);
  return {
    server: rpcServer,
    address,
    channel: first,
    echo: createClient(Echo, first, { timeoutMs: WAIT_MS, ...defaults }),
    connect,
    async [Symbol.asyncDispose]() {
      for (const each of channels) each.close();
      await rpcServer.close();
    },
  };
}

/** Resolves when the condition holds. @throws when it does not within the time allowed. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** How often, and for how many looks in a row, a number must be the same to count as standing. */
const LOOK_MS = 20;
const SAME_LOOKS = 10;

/** Resolves when a number that is more than 0 does not change any more. */
export async function standing(number: () => number): Promise<void> {
  let last = -1;
  let same = 0;
  await until(() => number() > 0, "something has moved");
  while (same < SAME_LOOKS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    same = number() === last ? same + 1 : 0;
    last = number();
  }
}

/** All items of an async iterable. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason), { once: true }));
}
