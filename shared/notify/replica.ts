import { type Entry, EntryAction, sameBytes } from "./frame.ts";
import type { Position } from "./sender.ts";

/** What is known of a change beside its value. */
export interface ChangeMeta {
  /** W3C trace context of the change; empty: none. */
  readonly traceparent: string;
  /** Revision in the parent's epoch. */
  readonly revision: number;
}

/** Told of changes of a replica, after they are made. It must not throw. */
export interface ReplicaListener {
  /** An object is new or has changed; an equal one that is sent again is not reported. */
  update?(key: string, value: Uint8Array, old: Uint8Array | undefined, meta: ChangeMeta): void;
  /** An object is gone. */
  remove?(key: string, old: Uint8Array): void;
  /** The replica has caught up with its parent. */
  inStep?(): void;
}

/** A kind as the parent has it, kept through disconnects. */
export interface Replica {
  readonly kind: string;
  /** Whether it has caught up with the parent that it is connected to. */
  readonly inStep: boolean;
  /** Number of objects. */
  readonly size: number;
  get(key: string): Uint8Array | undefined;
  has(key: string): boolean;
  entries(): Iterable<[string, Uint8Array]>;
  keys(): Iterable<string>;
  /** Tells of changes from now on; the returned function ends it. */
  subscribe(listener: ReplicaListener): () => void;
}

/** The receiving half of a kind. */
export class ReplicaState implements Replica {
  readonly kind: string;
  readonly #onFault: (error: unknown) => void;
  readonly #objects = new Map<string, Uint8Array>();
  readonly #listeners = new Set<ReplicaListener>();
  /** Keys sent since the snapshot began; undefined outside a snapshot, and when there was nothing before it. */
  #seen: Set<string> | undefined;
  /** A snapshot into an empty replica is under way: most of every frame is kept, so values may stay views into them. */
  #filling = false;
  /** While filling: up to this revision no key comes twice. */
  #unique = 0;
  #epoch = "";
  #revision = 0;
  #inStep = false;

  /** @param onFault told of listeners that throw. */
  constructor(kind: string, onFault: (error: unknown) => void) {
    this.kind = kind;
    this.#onFault = onFault;
  }

  get inStep(): boolean {
    return this.#inStep;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): Uint8Array | undefined {
    return this.#objects.get(key);
  }

  has(key: string): boolean {
    return this.#objects.has(key);
  }

  entries(): Iterable<[string, Uint8Array]> {
    return this.#objects.entries();
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  subscribe(listener: ReplicaListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What to tell a parent that it holds. */
  position(): Position {
    return { epoch: this.#epoch, revision: this.#revision };
  }

  /** The stream is gone: what is held stays, a snapshot that was under way counts for nothing. */
  disconnected(): void {
    this.#inStep = false;
    this.#seen = undefined;
    this.#filling = false;
    this.#unique = 0;
  }

  /** Applies an entry of this kind. */
  apply(entry: Entry): void {
    switch (entry.action) {
      case EntryAction.UPDATE:
        this.#update(entry);
        break;
      case EntryAction.DELETE:
        this.#seen?.delete(entry.key);
        this.#advance(entry.revision);
        this.#remove(entry.key);
        break;
      case EntryAction.SNAPSHOT_BEGIN:
        // Until the marker what is held is a mixture, from which nobody can resume.
        this.#epoch = "";
        this.#revision = 0;
        this.#inStep = false;
        this.#filling = this.#objects.size === 0;
        this.#unique = this.#filling ? entry.revision : 0;
        this.#seen = this.#filling ? undefined : new Set();
        break;
      case EntryAction.IN_STEP:
        this.#markInStep(entry);
        break;
      case EntryAction.MESSAGE:
        break;
    }
  }

  #update({ key, value: sent, revision, traceparent }: Entry): void {
    this.#seen?.add(key);
    this.#advance(revision);
    // Looking for a long key costs as much as putting it in, and in a first snapshot it is not there.
    const old = revision <= this.#unique ? undefined : this.#objects.get(key);
    if (old && sameBytes(old, sent)) return;
    const value = this.#filling ? sent : sent.slice();
    this.#objects.set(key, value);
    if (this.#listeners.size === 0) return;
    this.#tell((listener) => listener.update?.(key, value, old, { traceparent, revision }));
  }

  #remove(key: string): void {
    const old = this.#objects.get(key);
    if (!old) return;
    this.#objects.delete(key);
    this.#tell((listener) => listener.remove?.(key, old));
  }

  /** Entries come in order of revision, so that all before one have come; without an epoch that says nothing. */
  #advance(revision: number): void {
    if (revision > this.#revision) this.#revision = revision;
  }

  #markInStep({ epoch, revision }: Entry): void {
    const seen = this.#seen;
    this.#seen = undefined;
    this.#filling = false;
    this.#unique = 0;
    if (seen) { for (const key of [...this.#objects.keys()]) if (!seen.has(key)) this.#remove(key); }
    this.#epoch = epoch;
    this.#revision = revision;
    if (this.#inStep) return;
    this.#inStep = true;
    this.#tell((listener) => listener.inStep?.());
  }

  #tell(call: (listener: ReplicaListener) => void): void {
    if (this.#listeners.size === 0) return;
    for (const listener of [...this.#listeners]) {
      try {
        call(listener);
      } catch (error) {
        this.#onFault(error);
      }
    }
  }
}
