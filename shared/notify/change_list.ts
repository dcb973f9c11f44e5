import { Arena, type ByteRange } from "./arena.ts";
import { encodeEntry, encodeEntryInto, EntryAction, sameBytesAt } from "./frame.ts";
import { minus, NOBODY, overlap, sameScopes, type Scopes, union } from "./scopes.ts";

/** The latest change of one key. */
export interface Change {
  readonly key: string;
  /** Revision of this change. */
  readonly revision: number;
  /** Where the encoded update is, its value last; undefined for a deletion. It moves when the list is swept. */
  update: ByteRange | undefined;
  readonly valueLength: number;
  /** Who sees the object. */
  readonly scopes: Scopes;
  /** Who may hold it without seeing it any more. */
  readonly past: Scopes;
  readonly traceparent: string;
  /** Encoded deletion, made when first needed. */
  removal?: ByteRange;
  /** Whether a later change of the key has taken its place. */
  superseded: boolean;
}

/** What a publication did. */
export interface Published {
  readonly revision: number;
  /** Who has something to learn of it. */
  readonly concerned: Scopes;
}

/** Scopes remembered per object beyond those that see it; more, and the reach of resuming is cut instead. */
const MAX_PAST_SCOPES = 4_096;
/** Dead places in the list are swept when they are this many more than the live ones. */
const SWEEP_SLACK = 64;

/** Arenas are swept when they are larger by so many bytes than twice what lives in them. */
const ARENA_SLACK_BYTES = 64 * 1024;

/**
 * The changes of one kind, each key's latest only, in order of revision. Streams hold no more than a revision of it.
 * Its size is bounded by the objects and the deletions remembered, whatever the number of changes.
 */
export class ChangeList {
  readonly kind: string;
  readonly #maxTombstones: number;
  #changes: Change[] = [];
  readonly #byKey = new Map<string, Change>();
  #arena = new Arena();
  /** Bytes of the arena that live. */
  #liveBytes = 0;
  #objects = 0;
  #tombstones = 0;
  #revision = 0;
  #horizon = 0;
  #marker: { epoch: string; revision: number; bytes: ByteRange } | undefined;
  /** Whether children may be served. */
  ready = false;

  /** @param maxTombstones deletions remembered. */
  constructor(kind: string, maxTombstones: number) {
    this.kind = kind;
    this.#maxTombstones = maxTombstones;
  }

  /** Revision of the latest change. */
  get revision(): number {
    return this.#revision;
  }

  /** Who holds at least this revision can be brought up to date by changes alone. */
  get horizon(): number {
    return this.#horizon;
  }

  /** Number of objects. */
  get size(): number {
    return this.#objects;
  }

  /** Value of an object, as a view: who keeps it for long copies it. */
  get(key: string): Uint8Array | undefined {
    const change = this.#byKey.get(key);
    return change && valueOf(change);
  }

  /** All objects. */
  *entries(): IterableIterator<[string, Uint8Array]> {
    for (const change of this.#byKey.values()) {
      const value = valueOf(change);
      if (value) yield [change.key, value];
    }
  }

  /** Records a change; undefined when it is none. */
  publish(key: string, value: Uint8Array | undefined, scopes: Scopes, traceparent: string): Published | undefined {
    const old = this.#byKey.get(key);
    if (value === undefined) {
      if (!old?.update) return undefined;
    } else if (old && sameValue(old, value) && sameScopes(old.scopes, scopes)) {
      return undefined;
    }
    const held = old ? union(old.scopes, old.past) : scopes;
    const revision = ++this.#revision;
    const change: Change = {
      key,
      revision,
      update: value && encodeEntryInto(
        { action: EntryAction.UPDATE, kind: this.kind, key, value, revision, traceparent },
        (length) => this.#arena.reserve(length),
      ),
      valueLength: value?.length ?? 0,
      scopes: value === undefined ? held : scopes,
      past: value === undefined || !old ? NOBODY : this.#bounded(minus(held, scopes), revision),
      traceparent,
      superseded: false,
    };
    if (old) this.#supersede(old);
    this.#changes.push(change);
    this.#byKey.set(key, change);
    if (change.update === undefined) this.#tombstones++;
    else {
      this.#objects++;
      this.#liveBytes += change.update.length;
    }
    this.#trim();
    return { revision, concerned: union(held, change.scopes) };
  }

  #bounded(past: Scopes, revision: number): Scopes {
    if (past === undefined || typeof past === "string" || past.size <= MAX_PAST_SCOPES) return past;
    this.#horizon = revision;
    return NOBODY;
  }

  #supersede(change: Change): void {
    change.superseded = true;
    if (change.update === undefined) this.#tombstones--;
    else {
      this.#objects--;
      this.#liveBytes -= change.update.length;
    }
  }

  #trim(): void {
    if (this.#tombstones > this.#maxTombstones) {
      // Half of them at once, so that looking for the oldest costs little per deletion.
      let excess = this.#tombstones - Math.floor(this.#maxTombstones / 2);
      for (const change of this.#changes) {
        if (excess === 0) break;
        if (change.superseded || change.update) continue;
        this.#supersede(change);
        this.#byKey.delete(change.key);
        this.#horizon = Math.max(this.#horizon, change.revision);
        excess--;
      }
    }
    const live = this.#objects + this.#tombstones;
    if (this.#changes.length > 2 * live + SWEEP_SLACK) {
      this.#changes = this.#changes.filter((change) => !change.superseded);
    }
    if (this.#arena.allocated > 2 * this.#liveBytes + ARENA_SLACK_BYTES) this.#sweepArena();
  }

  /** Moves what lives into a new arena, in the order in which it is sent. */
  #sweepArena(): void {
    const arena = new Arena();
    for (const change of this.#changes) {
      const { update } = change;
      if (!update) continue;
      if (change.superseded) {
        change.update = undefined;
        continue;
      }
      const { slab, at, length } = update;
      change.update = arena.reserve(length);
      change.update.slab.set(slab.subarray(at, at + length), change.update.at);
    }
    this.#arena = arena;
  }

  /** Calls `visit` for the live changes after `revision`, oldest first, until it says false. */
  scan(revision: number, visit: (change: Change) => boolean): void {
    const changes = this.#changes;
    let low = 0;
    let high = changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (changes[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < changes.length; i++) {
      const change = changes[i]!;
      if (!change.superseded && !visit(change)) return;
    }
  }

  /**
   * What a child must be sent of a change that it sees through `filter`: the object, its deletion, or nothing. `since`
   * is the revision that the child started from: it cannot hold what was gone by then.
   */
  toSend(change: Change, filter: Scopes, since: number): ByteRange | undefined {
    if (change.update && overlap(change.scopes, filter)) return change.update;
    if (change.revision <= since) return undefined;
    if (!overlap(change.update ? change.past : change.scopes, filter)) return undefined;
    return change.removal ??= encodeEntry({
      action: EntryAction.DELETE,
      kind: this.kind,
      key: change.key,
      revision: change.revision,
      traceparent: change.traceparent,
    });
  }

  /** The marker that says: in step up to the latest revision. Made once for all streams of the same epoch. */
  marker(epoch: string): ByteRange {
    if (this.#marker?.epoch !== epoch || this.#marker.revision !== this.#revision) {
      const revision = this.#revision;
      const bytes = encodeEntry({ action: EntryAction.IN_STEP, kind: this.kind, epoch, revision });
      this.#marker = { epoch, revision, bytes };
    }
    return this.#marker.bytes;
  }
}

function valueOf({ update, valueLength }: Change): Uint8Array | undefined {
  if (!update) return undefined;
  const end = update.at + update.length;
  return update.slab.subarray(end - valueLength, end);
}

function sameValue({ update, valueLength }: Change, value: Uint8Array): boolean {
  if (!update) return false;
  return sameBytesAt(update.slab, update.at + update.length - valueLength, valueLength, value);
}
