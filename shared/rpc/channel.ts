import { type RpcClock, systemRpcClock } from "./clock.ts";
import { h2ClientTransport } from "./h2/mod.ts";
import {
  DEFAULT_BACKOFF_INITIAL_MS,
  DEFAULT_BACKOFF_MAX_MS,
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_KEEPALIVE_MS,
  DEFAULT_KEEPALIVE_TIMEOUT_MS,
  DEFAULT_MAX_MESSAGE_BYTES,
} from "./limits.ts";
import { Status } from "./status.ts";
import type {
  ChannelState,
  ChannelTls,
  ClientTransport,
  OutgoingCall,
  StartOptions,
  TransportChannel,
} from "./transport.ts";

/** How a channel is made. */
export interface ChannelOptions {
  /** `host:port`; of several, the next one is used when one cannot be reached. */
  address: string | readonly string[];
  /** Without it the channel speaks plaintext. */
  tls?: ChannelTls;
  /** Largest message accepted, bytes. @default 4 MiB */
  maxMessageBytes?: number;
  /** Idle time after which the connection is probed, ms. @default 30 s */
  keepaliveMs?: number;
  /** A probe unanswered for so long ends the connection, ms. @default 10 s */
  keepaliveTimeoutMs?: number;
  /** Time for one try to connect, ms. @default 10 s */
  connectTimeoutMs?: number;
  /** Delays between tries to connect. @default 250 ms, doubling up to 30 s */
  backoff?: { initialMs?: number; maxMs?: number };
  /** @default the transport that the project has settled on */
  transport?: ClientTransport;
  clock?: RpcClock;
}

/** A way to a server: connects when first used, and again with back-off when the connection is lost. */
export interface Channel {
  /** The address in use. */
  readonly address: string;
  /** State of the connection to it. */
  state(): ChannelState;
  /** New calls use a connection made with it; running calls end on the one they have. */
  updateTls(tls: ChannelTls): void;
  /** Ends running calls with CANCELLED or UNAVAILABLE and refuses new ones. */
  close(): void;
  /** Starts a call of bytes; clients are made with `createClient`. */
  start(path: string, options: StartOptions): OutgoingCall;
  readonly clock: RpcClock;
}

/** Makes a channel. @throws {TypeError} when there is no address or one is not `host:port`. */
export function createChannel(options: ChannelOptions): Channel {
  const addresses = typeof options.address === "string" ? [options.address] : [...options.address];
  if (addresses.length === 0) throw new TypeError("A channel needs at least one address");
  for (const address of addresses) {
    if (!/^(\[[0-9a-fA-F:.%]+\]|[^:\s]+):\d{1,5}$/.test(address)) {
      throw new TypeError(`Channel address ${JSON.stringify(address)} must be "host:port"`);
    }
  }
  const transport = options.transport ?? h2ClientTransport;
  const links: (TransportChannel | undefined)[] = addresses.map(() => undefined);
  let { tls } = options;
  let current = 0;
  let closed = false;

  function link(): TransportChannel {
    return links[current] ??= transport.connect({
      address: addresses[current]!,
      tls,
      maxMessageBytes: options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
      keepaliveMs: options.keepaliveMs ?? DEFAULT_KEEPALIVE_MS,
      keepaliveTimeoutMs: options.keepaliveTimeoutMs ?? DEFAULT_KEEPALIVE_TIMEOUT_MS,
      connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      backoffInitialMs: options.backoff?.initialMs ?? DEFAULT_BACKOFF_INITIAL_MS,
      backoffMaxMs: options.backoff?.maxMs ?? DEFAULT_BACKOFF_MAX_MS,
    });
  }

  return {
    clock: options.clock ?? systemRpcClock,
    get address() {
      return addresses[current]!;
    },
    state: () => closed ? "closed" : links[current]?.state() ?? "idle",
    updateTls(next) {
      tls = next;
      for (const each of links) each?.updateTls(next);
    },
    close() {
      closed = true;
      for (const each of links) each?.close();
    },
    start(path, startOptions) {
      const used = current;
      const call = link().start(path, startOptions);
      if (addresses.length > 1) {
        call.ended.then((end) => {
          // Only a call that found no connection moves the channel on, and only if no other has done so.
          if (end.code === Status.UNAVAILABLE && current === used && links[used]?.state() !== "ready") {
            current = (used + 1) % addresses.length;
          }
        });
      }
      return call;
    },
  };
}
