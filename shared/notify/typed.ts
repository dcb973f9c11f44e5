import type { NotifyHub, OwnedOptions, PublishOptions } from "./hub.ts";
import type { Owned } from "./client.ts";
import type { ChildInfo, RemovalReason } from "./owned_table.ts";
import type { ChangeMeta, Replica } from "./replica.ts";

/** What the typed helpers need of a kind; the schema's object kinds fit. */
export interface NotifyKind<T, K> {
  readonly kind: string;
  readonly message: { encode(value: T): Uint8Array; decode(bytes: Uint8Array): T };
  key(object: T): K;
  keyString(key: K): string;
}

/** Publishes an object. False when nothing changed. */
export function publishObject<T, K>(
  hub: NotifyHub,
  kind: NotifyKind<T, K>,
  object: T,
  options?: PublishOptions,
): boolean {
  return hub.publish(kind.kind, kind.keyString(kind.key(object)), kind.message.encode(object), options);
}

/** Publishes the deletion of an object. False when there was none. */
export function retractObject<T, K>(hub: NotifyHub, kind: NotifyKind<T, K>, key: K, options?: PublishOptions): boolean {
  return hub.publish(kind.kind, kind.keyString(key), undefined, options);
}

/** A replica of decoded objects. An object handed out is shared: it must not be changed. */
export interface TypedReplica<T, K> {
  readonly kind: string;
  readonly inStep: boolean;
  readonly size: number;
  get(key: K): T | undefined;
  /** By key string. */
  getByString(key: string): T | undefined;
  values(): Iterable<T>;
  entries(): Iterable<[string, T]>;
  /** Tells of changes from now on; the returned function ends it. */
  subscribe(listener: TypedListener<T>): () => void;
}

/** Told of changes of a typed replica. */
export interface TypedListener<T> {
  update?(object: T, old: T | undefined, key: string, meta: ChangeMeta): void;
  remove?(old: T, key: string): void;
  inStep?(): void;
}

/** Decodes a replica, each object once per change and when first asked for. */
export function typedReplica<T, K>(replica: Replica, kind: NotifyKind<T, K>): TypedReplica<T, K> {
  const decoded = new WeakMap<Uint8Array, { object: T }>();
  function decode(value: Uint8Array): T {
    let entry = decoded.get(value);
    if (!entry) decoded.set(value, entry = { object: kind.message.decode(value) });
    return entry.object;
  }
  function getByString(key: string): T | undefined {
    const value = replica.get(key);
    return value && decode(value);
  }
  return {
    kind: replica.kind,
    get inStep() {
      return replica.inStep;
    },
    get size() {
      return replica.size;
    },
    get: (key) => getByString(kind.keyString(key)),
    getByString,
    *values() {
      for (const [, value] of replica.entries()) yield decode(value);
    },
    *entries() {
      for (const [key, value] of replica.entries()) yield [key, decode(value)];
    },
    subscribe: (listener) =>
      replica.subscribe({
        update: (key, value, old, meta) => listener.update?.(decode(value), old && decode(old), key, meta),
        remove: (key, old) => listener.remove?.(decode(old), key),
        inStep: () => listener.inStep?.(),
      }),
  };
}

/** What a child owns, as objects. */
export interface TypedOwned<T, K> {
  put(object: T, options?: { traceparent?: string }): void;
  delete(key: K, options?: { traceparent?: string }): void;
  get(key: K): T | undefined;
}

/** Encodes what a child owns. */
export function typedOwned<T, K>(owned: Owned, kind: NotifyKind<T, K>): TypedOwned<T, K> {
  return {
    put: (object, options) => owned.put(kind.keyString(kind.key(object)), kind.message.encode(object), options),
    delete: (key, options) => owned.delete(kind.keyString(key), options),
    get(key) {
      const value = owned.get(kind.keyString(key));
      return value && kind.message.decode(value);
    },
  };
}

/** Takes decoded objects that children own. */
export interface TypedOwnedHandler<T> {
  update(object: T, key: string, child: ChildInfo, meta: { traceparent: string }): void;
  remove(key: string, child: ChildInfo, reason: RemovalReason): void;
}

/** Accepts a kind from children, decoded. The key must be that of the object. @throws nothing; a bad object ends the stream. */
export function onOwnedObject<T, K>(
  hub: NotifyHub,
  kind: NotifyKind<T, K>,
  handler: TypedOwnedHandler<T>,
  options?: OwnedOptions,
): void {
  hub.onOwned(kind.kind, {
    update(key, value, child, meta) {
      const object = kind.message.decode(value);
      const own = kind.keyString(kind.key(object));
      if (own !== key) throw new TypeError(`${kind.kind} ${own} was sent under the key ${key}`);
      handler.update(object, key, child, meta);
    },
    remove: (key, child, reason) => handler.remove(key, child, reason),
  }, options);
}
