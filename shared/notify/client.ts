import {
  type Channel,
  type ChannelOptions,
  createChannel,
  createClient,
  RpcError,
  systemRpcClock,
} from "../rpc/mod.ts";
import { Backoff, type BackoffOptions } from "./backoff.ts";
import { ChangeList } from "./change_list.ts";
import { ClientSession } from "./client_session.ts";
import type { HelloInfo } from "./hello.ts";
import type { MessageMeta, MessageOptions } from "./hub_core.ts";
import { defaultNotifyLimits, type NotifyLimits, UNHANDLED } from "./limits.ts";
import type { NotifyClock, NotifyLog } from "./ports.ts";
import { type Replica, ReplicaState } from "./replica.ts";
import { rawNotifyApi } from "./service.ts";

/** A kind of which only the objects for some scopes are wanted. */
export interface KindFilter {
  readonly kind: string;
  /** At least one; what they stand for is agreed with who publishes: cloudlets, organizations, pools. */
  readonly scopes: readonly string[];
}

/** How a child's end is made. */
export interface NotifyClientOptions {
  /** Name of the service, e.g. `crm`. */
  service: string;
  region: string;
  /** Key string of the cloudlet, for services of the cloudlet tier. */
  cloudlet?: string;
  /** Identity of this process run. @default random */
  instance?: string;
  /** Kinds to replicate, in whole or for some scopes. */
  wants: readonly (string | KindFilter)[];
  /** Kinds that this child is the truth of, what others refer to first. */
  owns?: readonly string[];
  /** Makes a channel for each attempt, which the client closes; see {@linkcode roundRobin}. */
  connect: () => Channel;
  /**
   * Asked between two changes, which may come by the thousand: what it gives is waited for before the next, so that a process
   * that serves others meanwhile gets to it.
   * @default nothing
   */
  pause?: () => Promise<void> | undefined;
  clock?: NotifyClock;
  /** From 0 up to, not including, 1. */
  random?: () => number;
  log?: NotifyLog;
  backoff?: BackoffOptions;
  limits?: Partial<NotifyLimits>;
}

/**
 * State of a child: not started or stopped; trying to reach a parent; receiving what it missed; caught up in every
 * kind; waiting before the next try.
 */
export type NotifyState = "stopped" | "connecting" | "syncing" | "inStep" | "waiting";

/** What a child owns of a kind: kept here, and sent to every parent it connects to. */
export interface Owned {
  readonly kind: string;
  /** Sets an object. @throws {RangeError} when it or its key is too large. */
  put(key: string, value: Uint8Array, options?: { traceparent?: string }): void;
  delete(key: string, options?: { traceparent?: string }): void;
  get(key: string): Uint8Array | undefined;
  entries(): Iterable<[string, Uint8Array]>;
}

/** How a child stands. */
export interface NotifyClientInfo {
  readonly state: NotifyState;
  /** The parent, while connected. */
  readonly parent?: HelloInfo;
  /** Tries to connect, and those that a parent has answered. */
  readonly attempts: number;
  readonly connects: number;
  readonly lastError?: string;
  /** Since when it has not been in step, ms since 1970. */
  readonly staleSince?: number;
  /** Of the present connection. */
  readonly received: { frames: number; bytes: number; entries: number };
  readonly sent: { frames: number; bytes: number; entries: number };
  /** Messages dropped so far, over all connections. */
  readonly droppedMessages: number;
}

/** The child's end of notify. */
export interface NotifyClient {
  /** A wanted kind. @throws {TypeError} for any other. */
  replica(kind: string): Replica;
  /** An owned kind. @throws {TypeError} for any other. */
  own(kind: string): Owned;
  /** Sends a message to the parent; false when not connected or the queue is full, which is counted. */
  send(type: string, value: Uint8Array, options?: MessageOptions): boolean;
  /** Takes messages of a type. */
  onMessage(type: string, handler: (value: Uint8Array, meta: MessageMeta) => void): void;
  start(): void;
  /** Ends the connection; what is held stays. */
  stop(): Promise<void>;
  state(): NotifyState;
  onState(listener: (state: NotifyState) => void): void;
  /** Resolves when every wanted kind is in step. Rejects when the signal aborts. */
  whenInStep(signal?: AbortSignal): Promise<void>;
  info(): NotifyClientInfo;
}

/** Makes channels to one address after the other, from a random one on. The options are asked for each time. */
export function roundRobin(
  addresses: readonly string[],
  options: () => Omit<ChannelOptions, "address">,
  random: () => number = Math.random,
): () => Channel {
  if (addresses.length === 0) throw new TypeError("At least one address is needed");
  let next = Math.floor(random() * addresses.length);
  return () => createChannel({ ...options(), address: addresses[next++ % addresses.length]! });
}

/** Makes the child's end; it connects when started. */
export function createNotifyClient(options: NotifyClientOptions): NotifyClient {
  const clock = options.clock ?? systemRpcClock;
  const log = options.log ?? (() => {});
  const limits = { ...defaultNotifyLimits, ...options.limits };
  const backoff = new Backoff(options.backoff ?? {}, options.random ?? Math.random);
  const instance = options.instance ?? crypto.randomUUID();
  const onFault = (error: unknown): void =>
    log("error", "A listener of replicated objects failed", { error: String(error) });
  const wants = options.wants.map((want) => typeof want === "string" ? { kind: want, scopes: undefined } : want);
  if (wants.some(({ scopes }) => scopes?.length === 0)) throw new TypeError("A filter must name scopes");
  const replicas = new Map(wants.map(({ kind }) => [kind, new ReplicaState(kind, onFault)]));
  const filters = new Map(wants.flatMap(({ kind, scopes }) => scopes === undefined ? [] : [[kind, scopes] as const]));
  const owned = new Map((options.owns ?? []).map((kind) => [kind, new ChangeList(kind, limits.tombstones)]));
  for (const list of owned.values()) list.ready = true;
  const handlers = new Map<string, (value: Uint8Array, meta: MessageMeta) => void>();
  const listeners = new Set<(state: NotifyState) => void>();
  let state: NotifyState = "stopped";
  let session: ClientSession | undefined;
  let stopping: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();
  let attempts = 0;
  let connects = 0;
  let dropped = 0;
  let lastError: string | undefined;
  let staleSince: number | undefined = clock.now();

  function become(next: NotifyState): void {
    if (state === next) return;
    if (state === "inStep") staleSince = clock.now();
    if (next === "inStep") staleSince = undefined;
    state = next;
    for (const listener of [...listeners]) listener(next);
  }

  function openSession(): ClientSession {
    return new ClientSession({
      service: options.service,
      region: options.region,
      cloudlet: options.cloudlet ?? "",
      instance,
      replicas,
      filters,
      owned: [...owned.values()],
      limits,
      onMessage({ kind, key, value, correlation, traceparent }) {
        const handler = handlers.get(kind);
        if (handler) handler(value.slice(), { correlation, traceparent, address: key });
        else if (correlation === "") log("warn", "Nobody takes a message", { type: kind });
        // Who asks need not wait for an answer that will not come.
        else session?.send(UNHANDLED, new Uint8Array(), correlation);
      },
      onProgress: () => become(session?.inStep ? "inStep" : "syncing"),
    });
  }

  /** One connection from hello to end; how long it was up, ms, and how long the parent wants to be left alone. */
  async function connection(signal: AbortSignal): Promise<{ uptimeMs: number; retryAfterMs: number }> {
    const current = session = openSession();
    const channel = options.connect();
    let upSince: number | undefined;
    attempts++;
    async function* frames(): AsyncGenerator<Uint8Array> {
      while (!current.ended) {
        const frame = current.pull();
        if (frame) yield frame;
        else if (!current.ended) await current.waiting();
      }
    }
    const cancelHello = clock.after(limits.helloMs, () => {
      if (current.parent) return;
      lastError = "The parent has not answered the hello in time";
      current.end();
      channel.close();
    });
    try {
      for await (const bytes of createClient(rawNotifyApi, channel).streamNotice(frames(), { signal })) {
        current.receive(bytes);
        while (current.applyNext()) {
          const pause = options.pause?.();
          if (pause !== undefined) await pause;
        }
        if (current.parent && upSince === undefined) {
          upSince = clock.now();
          connects++;
          lastError = undefined;
          log("info", "Connected to a notify parent", { address: channel.address, service: current.parent.service });
        }
        if (current.ended) break;
      }
      lastError = current.refused?.reason ?? "The parent has ended the stream";
    } catch (error) {
      lastError = RpcError.from(error).message;
    } finally {
      cancelHello();
      current.end();
      dropped += current.sender.lane.dropped;
      channel.close();
    }
    if (!signal.aborted) log("warn", "A notify connection has ended", { address: channel.address, error: lastError });
    return {
      uptimeMs: upSince === undefined ? 0 : clock.now() - upSince,
      retryAfterMs: current.refused?.retryAfterMs ?? 0,
    };
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      become("connecting");
      const { uptimeMs, retryAfterMs } = await connection(signal);
      if (signal.aborted) break;
      become("waiting");
      await pause(clock, retryAfterMs + backoff.next(uptimeMs), signal);
    }
    become("stopped");
  }

  function listOf(kind: string): ChangeList {
    const list = owned.get(kind);
    if (!list) throw new TypeError(`Kind ${JSON.stringify(kind)} is not owned here`);
    return list;
  }

  function publish(kind: string, key: string, value: Uint8Array | undefined, traceparent = ""): void {
    const { objectBytes, keyBytes } = limits;
    if (value && value.length > objectBytes) {
      throw new RangeError(`${kind} ${key} has ${value.length} bytes, more than ${objectBytes}`);
    }
    if (key.length > keyBytes) {
      throw new RangeError(`A key of ${kind} has ${key.length} characters, more than ${keyBytes}`);
    }
    const published = listOf(kind).publish(key, value, undefined, traceparent);
    if (published) session?.touch(kind, published.revision);
  }

  return {
    replica(kind) {
      const replica = replicas.get(kind);
      if (!replica) throw new TypeError(`Kind ${JSON.stringify(kind)} is not replicated here`);
      return replica;
    },
    own(kind) {
      const list = listOf(kind);
      return {
        kind,
        put: (key, value, { traceparent } = {}) => publish(kind, key, value, traceparent),
        delete: (key, { traceparent } = {}) => publish(kind, key, undefined, traceparent),
        get: (key) => list.get(key),
        entries: () => list.entries(),
      };
    },
    send(type, value, { correlation, traceparent } = {}) {
      if (value.length > limits.objectBytes) {
        throw new RangeError(`Message ${type} has ${value.length} bytes, more than ${limits.objectBytes}`);
      }
      if (session?.parent && !session.ended) return session.send(type, value, correlation, traceparent);
      dropped++;
      return false;
    },
    onMessage(type, handler) {
      if (handlers.has(type)) throw new TypeError(`Messages ${JSON.stringify(type)} are taken already`);
      handlers.set(type, handler);
    },
    start() {
      if (stopping) return;
      stopping = new AbortController();
      running = run(stopping.signal);
    },
    async stop() {
      stopping?.abort();
      session?.end();
      await running;
      stopping = undefined;
    },
    state: () => state,
    onState: (listener) => void listeners.add(listener),
    whenInStep(signal) {
      return new Promise((resolve, reject) => {
        const settle = (done: () => void): void => {
          listeners.delete(look);
          signal?.removeEventListener("abort", abort);
          done();
        };
        const look = (next: NotifyState): void => {
          if (next === "inStep") settle(resolve);
        };
        const abort = (): void => settle(() => reject(signal!.reason));
        if (signal?.aborted) return reject(signal.reason);
        listeners.add(look);
        signal?.addEventListener("abort", abort);
        look(state);
      });
    },
    info: () => ({
      state,
      parent: session?.ended ? undefined : session?.parent,
      attempts,
      connects,
      lastError,
      staleSince,
      received: {
        frames: session?.receivedFrames ?? 0,
        bytes: session?.receivedBytes ?? 0,
        entries: session?.receivedEntries ?? 0,
      },
      sent: { ...(session?.sender.sent ?? { frames: 0, bytes: 0, entries: 0 }) },
      droppedMessages: dropped + (session && !session.ended ? session.sender.lane.dropped : 0),
    }),
  };
}

function pause(clock: NotifyClock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener("abort", done);
  });
}
