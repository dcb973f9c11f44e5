import { type CallContext, RpcError, type RpcServer, Status, systemRpcClock } from "../rpc/mod.ts";
import { type AdmissionRules, agree } from "./admission.ts";
import { whenExpired } from "./expiry.ts";
import { versionRefusal } from "./hello.ts";
import { type ChildEvent, HubCore, type MessageAddress, type MessageMeta, type MessageOptions } from "./hub_core.ts";
import { HubStream } from "./hub_stream.ts";
import { DEFAULT_GRACE_MS, defaultNotifyLimits, type NotifyLimits } from "./limits.ts";
import type { ChildInfo, OwnedHandler } from "./owned_table.ts";
import type { NotifyClock, NotifyLog } from "./ports.ts";
import { rawNotifyApi } from "./service.ts";
import type { Traffic } from "./traffic.ts";

/** How a hub is made. */
export interface NotifyHubOptions {
  /** Name of the service that the hub is part of. */
  service: string;
  /** Its region; empty for global services. */
  region: string;
  /** Kinds served to children, what others refer to first. */
  kinds: readonly string[];
  /** Identity of this process run. @default random */
  instance?: string;
  clock?: NotifyClock;
  log?: NotifyLog;
  /** Time that what a lost child owned is kept for its return, ms. @default 10 s */
  graceMs?: number;
  limits?: Partial<NotifyLimits>;
}

/** How an object is published. */
export interface PublishOptions {
  /** Key strings of the cloudlets whose children may see it. @default every child */
  scopes?: Iterable<string>;
  /** W3C trace context of the change. */
  traceparent?: string;
}

/** How one stream stands. */
export interface StreamInfo {
  readonly child: ChildInfo;
  /** Milliseconds since 1970. */
  readonly connectedAt: number;
  /** Streams so far of this name. */
  readonly connects: number;
  /** `lag` in revisions. */
  readonly kinds: readonly { kind: string; inStep: boolean; lag: number }[];
  readonly queuedMessages: number;
  readonly droppedMessages: number;
  readonly sentFrames: number;
  readonly sentBytes: number;
  readonly sentEntries: number;
  readonly receivedFrames: number;
  readonly receivedBytes: number;
  readonly receivedEntries: number;
  /** Full snapshots sent on this stream, counted by kind. */
  readonly snapshots: number;
  /** Kinds that were resumed on this stream. */
  readonly resumes: number;
}

/** The parent's end of notify. */
export interface NotifyHub {
  /** Identity of this hub's revisions. */
  readonly epoch: string;
  /**
   * Sets an object, or deletes it (`undefined`). False when that changes nothing.
   * @throws {TypeError} for a kind not served, {RangeError} for an object or key too large.
   */
  publish(kind: string, key: string, value: Uint8Array | undefined, options?: PublishOptions): boolean;
  /** An object as published. */
  get(kind: string, key: string): Uint8Array | undefined;
  /** All objects of a kind. */
  entries(kind: string): Iterable<[string, Uint8Array]>;
  /** Serves a kind, or all: before, children wait. Kinds after one that is not ready wait too. */
  markReady(kind?: string): void;
  /** Adds the notify service to a server, whose interceptors must have set `context.peer.identity`. */
  serve(server: RpcServer, rules: AdmissionRules): void;
  /**
   * Accepts a kind from children. With `scopeOf`, a scoped child may own only what is of its scope; one that claims
   * more loses its stream.
   */
  onOwned(kind: string, handler: OwnedHandler, options?: OwnedOptions): void;
  /** What children own of a kind. */
  ownedEntries(kind: string): Iterable<[string, Uint8Array, ChildInfo]>;
  /** Sends a message to every child that fits; how many streams have queued it. */
  send(type: string, value: Uint8Array, to?: MessageAddress, options?: MessageOptions): number;
  /** Takes messages of a type. */
  onMessage(type: string, handler: (value: Uint8Array, child: ChildInfo, meta: MessageMeta) => void): void;
  /** Told when a child says that nobody there takes a message, by the correlation id of that. */
  onUnhandled(listener: (child: ChildInfo, correlation: string) => void): void;
  /** Tells of children: connected, disconnected, and lost when they have not come back in time. */
  onChild(listener: (child: ChildInfo, event: ChildEvent) => void): void;
  /** How every stream stands. */
  streams(): StreamInfo[];
  /** What all streams so far have carried, by service of the children. */
  traffic(): ReadonlyMap<string, Traffic>;
  /** Ends the streams of the children that match, which are told why. Returns their number. */
  disconnect(matches: (child: ChildInfo) => boolean, reason: string): number;
  /** Ends all streams. */
  close(): void;
}

/** How a kind is accepted. */
export interface OwnedOptions {
  /** Scope that an object belongs to; the value is undefined for deletions. */
  scopeOf?: (key: string, value: Uint8Array | undefined) => string | undefined;
}

/** Makes the parent's end. */
export function createNotifyHub(options: NotifyHubOptions): NotifyHub {
  const clock = options.clock ?? systemRpcClock;
  const log = options.log ?? (() => {});
  const limits = { ...defaultNotifyLimits, ...options.limits };
  const epoch = crypto.randomUUID();
  const core = new HubCore({
    service: options.service,
    region: options.region,
    instance: options.instance ?? crypto.randomUUID(),
    epoch,
    kinds: options.kinds,
    clock,
    log,
    graceMs: options.graceMs ?? DEFAULT_GRACE_MS,
    limits,
  });
  let closed = false;

  return {
    epoch,
    publish: (kind, key, value, { scopes, traceparent = "" } = {}) =>
      core.publish(kind, key, value, scopes, traceparent),
    get: (kind, key) => core.list(kind).get(key),
    entries: (kind) => core.list(kind).entries(),
    markReady(kind) {
      for (const each of kind === undefined ? options.kinds : [kind]) core.markReady(each);
    },
    serve(server, rules) {
      server.addService(rawNotifyApi, {
        streamNotice: (requests, context) => {
          if (closed) throw new RpcError(Status.UNAVAILABLE, "The hub is closed");
          return serveStream(core, rules, clock, log, requests, context);
        },
      });
    },
    onOwned: (kind, handler, { scopeOf } = {}) => core.onOwned(kind, { handler, scopeOf }),
    ownedEntries: (kind) => core.owned.entries(kind),
    send: (type, value, to = {}, messageOptions = {}) => core.send(type, value, to, messageOptions),
    onMessage: (type, handler) => core.onMessage(type, handler),
    onUnhandled: (listener) => core.onUnhandled(listener),
    onChild: (listener) => core.onChild(listener),
    streams: () => [...core.streams()].map((stream) => infoOf(core, stream)),
    traffic: () => core.traffic(),
    disconnect(matches, reason) {
      const ended = [...core.streams()].filter(({ child }) => child !== undefined && matches(child));
      for (const stream of ended) stream.refuse(reason);
      return ended.length;
    },
    close() {
      closed = true;
      core.owned.close();
      for (const stream of [...core.streams()]) stream.refuse("The parent is shutting down");
    },
  };
}

async function* serveStream(
  core: HubCore,
  rules: AdmissionRules,
  clock: NotifyClock,
  log: NotifyLog,
  requests: AsyncIterable<Uint8Array>,
  context: CallContext,
): AsyncGenerator<Uint8Array> {
  const stream = new HubStream(core);
  let failure: RpcError | undefined;
  const fail = (error: unknown): void => {
    failure ??= RpcError.from(error);
    if (failure.code !== Status.CANCELLED) {
      log("warn", "A notify stream failed", { child: stream.child?.name, error: failure.message });
    }
    core.detach(stream);
  };
  const cancelHello = clock.after(core.limits.helloMs, () => {
    if (!stream.child) fail(new RpcError(Status.DEADLINE_EXCEEDED, "No hello came in time"));
  });
  const [certificate] = context.peer.certificates ?? [];
  const cancelExpiry = certificate && whenExpired(certificate, clock, () => {
    log("warn", "The certificate of a notify child has expired", { child: stream.child?.name });
    stream.refuse("The certificate has expired");
  });
  context.signal.addEventListener("abort", () => core.detach(stream), { once: true });
  receive(core, rules, stream, requests, context).then(() => core.detach(stream), fail);
  try {
    while (!stream.ended) {
      const frame = stream.pull();
      if (frame) {
        yield frame;
        // Who asks for more has sent it, or keeps a copy.
        core.frames.give(frame);
      } else if (!stream.ended) await stream.waiting();
    }
    if (failure) throw failure;
  } finally {
    cancelHello();
    cancelExpiry?.();
    core.detach(stream);
  }
}

async function receive(
  core: HubCore,
  rules: AdmissionRules,
  stream: HubStream,
  requests: AsyncIterable<Uint8Array>,
  context: CallContext,
): Promise<void> {
  for await (const bytes of requests) {
    if (stream.ended) return;
    if (stream.child) {
      stream.receive(bytes);
      continue;
    }
    const { hello, held } = HubStream.hello(bytes);
    const refusal = versionRefusal(hello.version);
    const admission = refusal === undefined
      ? await rules(context.peer.identity, hello, context.peer)
      : { refuse: refusal };
    if (stream.ended) return;
    const agreement = admission.refuse !== undefined
      ? admission
      : agree(hello, admission, core.servedKinds(), core.acceptedKinds());
    const refused = agreement.refuse !== undefined ? agreement : core.attach(stream, hello, agreement, held, {
      identity: context.peer.identity,
      address: `${context.peer.address}:${context.peer.port}`,
    });
    if (refused) stream.refuse(refused.refuse, refused.retryAfterMs);
  }
}

function infoOf(core: HubCore, stream: HubStream): StreamInfo {
  const child = stream.child!;
  const sender = stream.sender!;
  return {
    child,
    connectedAt: core.connectedAt.get(child.id) ?? 0,
    connects: core.connects.get(child.name) ?? 0,
    kinds: sender.kinds(),
    queuedMessages: sender.lane.length,
    droppedMessages: sender.lane.dropped,
    sentFrames: sender.sent.frames,
    sentBytes: sender.sent.bytes,
    sentEntries: sender.sent.entries,
    snapshots: sender.sent.snapshots,
    resumes: sender.sent.resumes,
    receivedFrames: stream.received.frames,
    receivedBytes: stream.received.bytes,
    receivedEntries: stream.received.entries,
  };
}
