import { RpcError, Status } from "../rpc/mod.ts";
import type { Entry } from "../schema/mod.ts";
import type { AdmissionRefusal, Agreement } from "./admission.ts";
import type { ByteRange } from "./arena.ts";
import { ChangeList } from "./change_list.ts";
import { encodeControl, encodeEntry, EntryAction } from "./frame.ts";
import { FramePool } from "./frame_pool.ts";
import type { HelloInfo } from "./hello.ts";
import type { HubSide, HubStream } from "./hub_stream.ts";
import { type NotifyLimits, PROTOCOL_VERSION, UNHANDLED } from "./limits.ts";
import { type ChildInfo, type OwnedHandler, OwnedTable } from "./owned_table.ts";
import type { NotifyClock, NotifyLog } from "./ports.ts";
import { filterText, listOf, type Scopes, scopesOf } from "./scopes.ts";
import { type Position, Sender } from "./sender.ts";
import { addTraffic, type Traffic } from "./traffic.ts";

/** What a frame has in front of its entries, at most. */
const FRAME_HEAD_BYTES = 16;

/** Which children a message is for; what is left out does not matter. */
export interface MessageAddress {
  readonly service?: string;
  /** Key string of a cloudlet. */
  readonly cloudlet?: string;
  readonly instance?: string;
}

/** What travels with a message. */
export interface MessageOptions {
  /** Id of a request, repeated in its replies. */
  readonly correlation?: string;
  /** W3C trace context. */
  readonly traceparent?: string;
}

/** What came with a message. */
export interface MessageMeta {
  readonly correlation: string;
  readonly traceparent: string;
  /** JSON of the {@linkcode MessageAddress} that it was sent to; empty for messages to a parent. */
  readonly address: string;
}

/** What happens to children. */
export type ChildEvent = "connected" | "disconnected" | "lost";

/** What a hub's core is made of. */
export interface HubParts {
  readonly service: string;
  readonly region: string;
  readonly instance: string;
  readonly epoch: string;
  readonly kinds: readonly string[];
  readonly clock: NotifyClock;
  readonly log: NotifyLog;
  readonly graceMs: number;
  readonly limits: NotifyLimits;
}

interface OwnedKind {
  readonly handler: OwnedHandler;
  readonly scopeOf: ((key: string, value: Uint8Array | undefined) => string | undefined) | undefined;
}

/** The parent's side without I/O: change lists, streams, what children own, messages. */
export class HubCore implements HubSide {
  readonly limits: NotifyLimits;
  readonly owned: OwnedTable;
  /** Arrays of the frames that streams send. */
  readonly frames: FramePool;
  readonly #parts: HubParts;
  readonly #lists = new Map<string, ChangeList>();
  readonly #ownedKinds = new Map<string, OwnedKind>();
  readonly #handlers = new Map<string, (value: Uint8Array, child: ChildInfo, meta: MessageMeta) => void>();
  readonly #streams = new Map<string, HubStream>();
  readonly #unscoped = new Set<HubStream>();
  readonly #byScope = new Map<string, Set<HubStream>>();
  readonly #listeners = new Set<(child: ChildInfo, event: ChildEvent) => void>();
  readonly #unhandled = new Set<(child: ChildInfo, correlation: string) => void>();
  /** Instances that a newer one of the same name has replaced, while that one lives. */
  readonly #replaced = new Map<string, Set<string>>();
  readonly connects = new Map<string, number>();
  readonly connectedAt = new Map<number, number>();
  /** What streams that have ended carried, by service. */
  readonly #ended = new Map<string, Traffic>();
  readonly #takeFrame = (bytes: number): Uint8Array => this.frames.take(bytes);
  #nextId = 1;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.limits = parts.limits;
    this.frames = new FramePool(parts.limits.frameBytes + FRAME_HEAD_BYTES);
    for (const kind of parts.kinds) this.#lists.set(kind, new ChangeList(kind, parts.limits.tombstones));
    this.owned = new OwnedTable(
      parts.clock,
      parts.graceMs,
      parts.limits.ownedObjects,
      (kind) => this.#ownedKinds.get(kind)?.handler,
      (child) => {
        this.#replaced.delete(child.name);
        this.connects.delete(child.name);
        this.#event(child, "lost");
      },
    );
  }

  /** The change list of a kind. @throws {TypeError} when the kind is not served. */
  list(kind: string): ChangeList {
    const list = this.#lists.get(kind);
    if (!list) throw new TypeError(`Kind ${JSON.stringify(kind)} is not served by this hub`);
    return list;
  }

  /** Kinds served to children. */
  servedKinds(): readonly string[] {
    return this.#parts.kinds;
  }

  /** Kinds accepted from children. */
  acceptedKinds(): string[] {
    return [...this.#ownedKinds.keys()];
  }

  /** Streams that are up. */
  streams(): Iterable<HubStream> {
    return this.#streams.values();
  }

  /** What all streams so far have carried, by service. */
  traffic(): Map<string, Traffic> {
    const services = new Map(this.#ended);
    for (const stream of this.#streams.values()) addTraffic(services, stream);
    return services;
  }

  publish(
    kind: string,
    key: string,
    value: Uint8Array | undefined,
    scopes: Iterable<string> | undefined,
    traceparent: string,
  ): boolean {
    const { objectBytes, keyBytes } = this.limits;
    if (value && value.length > objectBytes) {
      throw new RangeError(`${kind} ${key} has ${value.length} bytes, more than ${objectBytes}`);
    }
    if (key.length > keyBytes) {
      throw new RangeError(`A key of ${kind} has ${key.length} characters, more than ${keyBytes}`);
    }
    const list = this.list(kind);
    const published = list.publish(key, value, scopesOf(scopes), traceparent);
    if (!published) return false;
    if (list.ready) this.#touch(kind, published.revision, published.concerned);
    return true;
  }

  #touch(kind: string, revision: number, concerned: Scopes): void {
    const touch = (stream: HubStream): void => {
      stream.sender?.touch(kind, revision);
      stream.wake();
    };
    if (concerned === undefined) return this.#streams.forEach(touch);
    this.#unscoped.forEach(touch);
    for (const scope of listOf(concerned)) this.#byScope.get(scope)?.forEach(touch);
  }

  /** From now on the kind is served. */
  markReady(kind: string): void {
    this.list(kind).ready = true;
    for (const stream of this.#streams.values()) stream.wake();
  }

  onOwned(kind: string, owned: OwnedKind): void {
    if (this.#ownedKinds.has(kind)) throw new TypeError(`Kind ${JSON.stringify(kind)} is accepted already`);
    this.#ownedKinds.set(kind, owned);
  }

  onMessage(type: string, handler: (value: Uint8Array, child: ChildInfo, meta: MessageMeta) => void): void {
    if (this.#handlers.has(type)) throw new TypeError(`Messages ${JSON.stringify(type)} are taken already`);
    this.#handlers.set(type, handler);
  }

  onUnhandled(listener: (child: ChildInfo, correlation: string) => void): void {
    this.#unhandled.add(listener);
  }

  onChild(listener: (child: ChildInfo, event: ChildEvent) => void): void {
    this.#listeners.add(listener);
  }

  /** Queues a message on every stream that the address fits; how many took it. */
  send(type: string, value: Uint8Array, to: MessageAddress, { correlation, traceparent }: MessageOptions): number {
    if (value.length > this.limits.objectBytes) {
      throw new RangeError(`Message ${type} has ${value.length} bytes, more than ${this.limits.objectBytes}`);
    }
    let encoded: ByteRange | undefined;
    let queued = 0;
    for (const stream of this.#streams.values()) {
      const { child, sender } = stream;
      if (!child || !sender || !fits(child, to)) continue;
      encoded ??= encodeEntry({
        action: EntryAction.MESSAGE,
        kind: type,
        key: JSON.stringify(to),
        value,
        correlation,
        traceparent,
      });
      if (!sender.lane.push(encoded)) continue;
      queued++;
      stream.wake();
    }
    return queued;
  }

  /** Lets a child in, replacing its older stream; or says why not. */
  attach(
    stream: HubStream,
    hello: HelloInfo,
    agreement: Agreement,
    held: ReadonlyMap<string, Position>,
    peer: { identity: unknown; address: string },
  ): AdmissionRefusal | undefined {
    const { name, scopes, wants, owns } = agreement;
    const older = this.#streams.get(name);
    if (this.#replaced.get(name)?.has(hello.instance)) {
      return { refuse: `Replaced by a newer instance of ${name}`, retryAfterMs: this.#parts.graceMs };
    }
    if (older?.child) {
      if (older.child.instance !== hello.instance) this.#replace(name, older.child.instance);
      older.refuse(`Replaced by a newer stream of ${name}`, this.#parts.graceMs);
      this.#forget(older);
    }
    const child: ChildInfo = {
      id: this.#nextId++,
      name,
      service: hello.service,
      region: hello.region,
      cloudlet: hello.cloudlet,
      instance: hello.instance,
      scope: scopes?.length === 1 ? scopes[0] : undefined,
      scopes,
      ...peer,
    };
    const { epoch } = this.#parts;
    const sent = this.#parts.kinds.filter((kind) => wants.has(kind)).map((kind) => {
      const filter = wants.get(kind);
      const list = this.list(kind);
      return { list, filter, epoch: filter === undefined ? epoch : `${epoch} ${filterText(filter)}` };
    });
    const greeting = encodeControl({
      hello: {
        version: Math.min(hello.version, PROTOCOL_VERSION),
        service: this.#parts.service,
        region: this.#parts.region,
        instance: this.#parts.instance,
        wants: owns.map((kind) => ({ kind })),
        owns: sent.map(({ list }) => list.kind),
      },
    });
    this.#streams.set(name, stream);
    const sender = new Sender(sent, held, this.limits, this.#takeFrame);
    this.#index(stream, sender);
    this.connects.set(name, (this.connects.get(name) ?? 0) + 1);
    this.connectedAt.set(child.id, this.#parts.clock.now());
    this.owned.attach(child, owns);
    stream.admit(child, owns, sender, greeting);
    this.#event(child, "connected");
    return undefined;
  }

  /** A stream is found under every scope of any of its kinds: that one of them is touched in vain costs a look. */
  #index(stream: HubStream, sender: Sender): void {
    for (const filter of sender.filters()) {
      if (filter === undefined) this.#unscoped.add(stream);
      else {
        for (const scope of listOf(filter)) {
          this.#byScope.set(scope, (this.#byScope.get(scope) ?? new Set()).add(stream));
        }
      }
    }
  }

  #replace(name: string, instance: string): void {
    this.#replaced.set(name, (this.#replaced.get(name) ?? new Set()).add(instance));
  }

  /** The stream's connection is gone. */
  detach(stream: HubStream): void {
    stream.end();
    const { child } = stream;
    if (!child || this.#streams.get(child.name) !== stream) return;
    this.#forget(stream);
    this.owned.detach(child);
    this.#event(child, "disconnected");
  }

  #forget(stream: HubStream): void {
    const child = stream.child!;
    this.#streams.delete(child.name);
    addTraffic(this.#ended, stream);
    this.connectedAt.delete(child.id);
    this.#unscoped.delete(stream);
    for (const filter of stream.sender!.filters()) {
      for (const scope of filter === undefined ? [] : listOf(filter)) {
        const streams = this.#byScope.get(scope);
        streams?.delete(stream);
        if (streams?.size === 0) this.#byScope.delete(scope);
      }
    }
  }

  take(stream: HubStream, entry: Entry): void {
    const child = stream.child!;
    // A replaced stream may still have frames under way.
    if (this.#streams.get(child.name) !== stream) return;
    const { kind, key } = entry;
    switch (entry.action) {
      case EntryAction.UPDATE:
        this.#checkScope(child, entry);
        if (!this.owned.update(child, kind, key, entry.value, entry.traceparent)) {
          throw new RpcError(Status.RESOURCE_EXHAUSTED, `A child may own ${this.limits.ownedObjects} objects at most`);
        }
        break;
      case EntryAction.DELETE:
        this.#checkScope(child, entry);
        this.owned.remove(child, kind, key);
        break;
      case EntryAction.SNAPSHOT_BEGIN:
        this.owned.begin(child, kind);
        break;
      case EntryAction.IN_STEP:
        this.owned.inStep(child, kind);
        break;
      case EntryAction.MESSAGE:
        this.#message(child, entry);
        break;
      default:
        throw new RpcError(Status.INVALID_ARGUMENT, `Action ${entry.action} is unknown`);
    }
  }

  #checkScope(child: ChildInfo, { kind, key, value, action }: Entry): void {
    const scopeOf = this.#ownedKinds.get(kind)?.scopeOf;
    if (child.scopes === undefined || !scopeOf) return;
    const scope = scopeOf(key, action === EntryAction.UPDATE ? value : undefined);
    if (scope !== undefined && child.scopes.includes(scope)) return;
    this.#parts.log("error", "A child claims an object of another scope", { child: child.name, kind, key });
    throw new RpcError(Status.PERMISSION_DENIED, `${kind} ${key} does not belong to ${child.scopes.join(", ")}`);
  }

  #message(child: ChildInfo, { kind, key, value, correlation, traceparent }: Entry): void {
    if (kind === UNHANDLED) return this.#unhandled.forEach((listener) => listener(child, correlation));
    const handler = this.#handlers.get(kind);
    if (!handler) return this.#parts.log("warn", "Nobody takes a message", { child: child.name, type: kind });
    handler(value.slice(), child, { correlation, traceparent, address: key });
  }

  #event(child: ChildInfo, event: ChildEvent): void {
    for (const listener of this.#listeners) listener(child, event);
  }
}

function fits(child: ChildInfo, to: MessageAddress): boolean {
  return (to.service === undefined || to.service === child.service) &&
    (to.cloudlet === undefined || isAt(child, to.cloudlet)) &&
    (to.instance === undefined || to.instance === child.instance);
}

/** Whether a child is of a cloudlet, as its certificate says where that says something. */
export function isAt({ scopes, cloudlet }: ChildInfo, place: string): boolean {
  return scopes === undefined ? cloudlet === place : scopes.includes(place);
}
