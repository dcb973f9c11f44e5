import { sameBytes } from "./frame.ts";
import type { NotifyClock } from "./ports.ts";

/** A child as its parent knows it. */
export interface ChildInfo {
  /** Number of its stream, unique in this process run. */
  readonly id: number;
  /** Its name: of two streams of the same name the newer replaces the older. */
  readonly name: string;
  readonly service: string;
  readonly region: string;
  /** Key string of its cloudlet, as it says; `scope` is what its certificate says. */
  readonly cloudlet: string;
  readonly instance: string;
  readonly scope?: string;
  /** All its scopes, where it has any. */
  readonly scopes?: readonly string[];
  /** What the server's interceptors found out. */
  readonly identity: unknown;
  /** Address and port of its end of the connection. */
  readonly address: string;
}

/** Why an owned object goes: its owner removed it, or is gone. */
export type RemovalReason = "deleted" | "lost";

/** Takes what children own. An update that it throws at is not taken in and ends the child's stream. */
export interface OwnedHandler {
  /** An object is new or has changed; an equal one that is sent again is not reported. */
  update(key: string, value: Uint8Array, child: ChildInfo, meta: { traceparent: string }): void;
  /** An object is gone. */
  remove(key: string, child: ChildInfo, reason: RemovalReason): void;
}

/** What one child owns, over all its streams. */
interface Holder {
  child: ChildInfo;
  /** Whether a stream of it is up. */
  attached: boolean;
  /** Made with the first object: most children of a large tree own none. */
  objects?: Map<string, Map<string, Uint8Array>>;
  /** Keys sent since the snapshot of a kind began on the present stream. */
  seen?: Map<string, Set<string>>;
  count: number;
  cancelGrace: (() => void) | undefined;
}

/** What children own, by the name of the child; kept for a time when its stream is lost. */
export class OwnedTable {
  readonly #clock: NotifyClock;
  readonly #graceMs: number;
  readonly #maxObjects: number;
  readonly #handlerOf: (kind: string) => OwnedHandler | undefined;
  readonly #onLost: (child: ChildInfo) => void;
  readonly #holders = new Map<string, Holder>();
  #closed = false;
  /** Who owns a key now: of two that claim it the later one. */
  readonly #owners = new Map<string, Map<string, Holder>>();

  /**
   * @param graceMs time that a lost child's objects are kept.
   * @param maxObjects objects that one child may own.
   * @param onLost told when a child has not come back in time.
   */
  constructor(
    clock: NotifyClock,
    graceMs: number,
    maxObjects: number,
    handlerOf: (kind: string) => OwnedHandler | undefined,
    onLost: (child: ChildInfo) => void,
  ) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#maxObjects = maxObjects;
    this.#handlerOf = handlerOf;
    this.#onLost = onLost;
  }

  /** A stream of the child is up; of what it owned before, kinds that it does not own any more are dropped. */
  attach(child: ChildInfo, owns: readonly string[]): void {
    let holder = this.#holders.get(child.name);
    if (!holder) {
      holder = { child, attached: true, count: 0, cancelGrace: undefined };
      this.#holders.set(child.name, holder);
    }
    holder.cancelGrace?.();
    holder.cancelGrace = undefined;
    holder.child = child;
    holder.attached = true;
    holder.seen = undefined;
    for (const kind of [...holder.objects?.keys() ?? []]) {
      if (!owns.includes(kind)) this.#dropKind(holder, kind, "deleted");
    }
  }

  /** The stream of the child has ended; a stream that was replaced meanwhile changes nothing. */
  detach(child: ChildInfo): void {
    const holder = this.#holders.get(child.name);
    if (!holder || holder.child.id !== child.id) return;
    holder.attached = false;
    holder.seen = undefined;
    if (this.#closed) return;
    holder.cancelGrace = this.#clock.after(this.#graceMs, () => this.#lose(holder));
  }

  /** All timers are stopped; nothing is reported any more. */
  close(): void {
    this.#closed = true;
    for (const holder of this.#holders.values()) holder.cancelGrace?.();
  }

  /** A snapshot of a kind begins. */
  begin(child: ChildInfo, kind: string): void {
    const holder = this.#holders.get(child.name);
    if (holder) (holder.seen ??= new Map()).set(kind, new Set());
  }

  /** A snapshot of a kind is whole: what was not in it is gone. */
  inStep(child: ChildInfo, kind: string): void {
    const holder = this.#holders.get(child.name);
    const seen = holder?.seen?.get(kind);
    if (!holder || !seen) return;
    holder.seen?.delete(kind);
    for (const key of [...holder.objects?.get(kind)?.keys() ?? []]) {
      if (!seen.has(key)) this.#drop(holder, kind, key, "deleted");
    }
  }

  /** The child has an object. False when it owns too many. */
  update(child: ChildInfo, kind: string, key: string, sent: Uint8Array, traceparent: string): boolean {
    const holder = this.#holders.get(child.name);
    if (!holder) return false;
    holder.objects ??= new Map<string, Map<string, Uint8Array>>();
    const objects = mapIn(holder.objects, kind);
    const owners = mapIn(this.#owners, kind);
    const old = objects.get(key);
    if (!old && holder.count >= this.#maxObjects) return false;
    const owned = owners.get(key) === holder;
    const same = owned && old !== undefined && sameBytes(old, sent);
    const value = same ? old : sent.slice();
    // First the handler: what it throws at is not taken in.
    if (!same) this.#handlerOf(kind)?.update(key, value, child, { traceparent });
    if (!old) holder.count++;
    holder.seen?.get(kind)?.add(key);
    objects.set(key, value);
    owners.set(key, holder);
    return true;
  }

  /** The child has removed an object. */
  remove(child: ChildInfo, kind: string, key: string): void {
    const holder = this.#holders.get(child.name);
    if (!holder) return;
    holder.seen?.get(kind)?.delete(key);
    this.#drop(holder, kind, key, "deleted");
  }

  /** Objects of a kind over all children, with their owners. */
  *entries(kind: string): IterableIterator<[string, Uint8Array, ChildInfo]> {
    for (const [key, holder] of this.#owners.get(kind) ?? []) {
      yield [key, holder.objects!.get(kind)!.get(key)!, holder.child];
    }
  }

  #lose(holder: Holder): void {
    if (holder.attached || this.#holders.get(holder.child.name) !== holder) return;
    this.#holders.delete(holder.child.name);
    for (const kind of [...holder.objects?.keys() ?? []]) this.#dropKind(holder, kind, "lost");
    this.#onLost(holder.child);
  }

  #dropKind(holder: Holder, kind: string, reason: RemovalReason): void {
    for (const key of [...holder.objects?.get(kind)?.keys() ?? []]) this.#drop(holder, kind, key, reason);
    holder.objects?.delete(kind);
  }

  #drop(holder: Holder, kind: string, key: string, reason: RemovalReason): void {
    if (!holder.objects?.get(kind)?.delete(key)) return;
    holder.count--;
    const owners = this.#owners.get(kind);
    if (owners?.get(key) !== holder) return;
    owners.delete(key);
    this.#handlerOf(kind)?.remove(key, holder.child, reason);
  }
}

function mapIn<V>(maps: Map<string, Map<string, V>>, kind: string): Map<string, V> {
  let map = maps.get(kind);
  if (!map) maps.set(kind, map = new Map());
  return map;
}
