import type { ByteRange } from "./arena.ts";
import { ChangeColumns, Flag } from "./change_columns.ts";
import {
  encodeChangeInto,
  encodeEntry,
  EntryAction,
  keyRangeOf,
  keyTextOf,
  sameBytesAt,
  traceparentOf,
} from "./frame.ts";
import { KeyIndex, KeyText } from "./key_index.ts";
import { minus, NOBODY, overlap, sameScopes, type Scopes, ScopeTable, union } from "./scopes.ts";

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

/** One key at a time is looked for: the lists of a process share this. */
const wanted = new KeyText();

/**
 * The changes of one kind, each key's latest only, in order of revision. Streams hold no more than a revision of it.
 * Its size is bounded by the objects and the deletions remembered, whatever the number of changes. A change lies as bytes
 * in the arena, with its key, and as numbers in columns; its place is its index there.
 */
export class ChangeList {
  readonly kind: string;
  readonly #kindBytes: Uint8Array;
  readonly #maxTombstones: number;
  readonly #changes = new ChangeColumns();
  readonly #index = new KeyIndex();
  readonly #scopes = new ScopeTable();
  /** Who may hold an object without seeing it any more, by place. */
  #past = new Map<number, Scopes>();
  /** Encoded deletions for those, by place, made when first needed. */
  #removals = new Map<number, ByteRange>();
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
    this.#kindBytes = new TextEncoder().encode(kind);
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
    wanted.set(key);
    const place = this.#index.placeAt(this.#index.slotOf(wanted.hash, this.#isWanted));
    return place < 0 ? undefined : this.#valueAt(place);
  }

  /** All objects, in order of revision. */
  *entries(): IterableIterator<[string, Uint8Array]> {
    // By revision, since places move when somebody publishes meanwhile; what that brings is left out.
    const last = this.#revision;
    for (let place = 0, revision = 0; place < this.#changes.count; place = this.#firstAfter(revision)) {
      revision = this.#changes.revision[place]!;
      if (revision > last) return;
      if (!this.#isLive(place)) continue;
      const value = this.#valueAt(place);
      if (value) yield [this.#keyAt(place), value];
    }
  }

  /** Records a change; undefined when it is none. */
  publish(key: string, value: Uint8Array | undefined, scopes: Scopes, traceparent: string): Published | undefined {
    wanted.set(key);
    const slot = this.#index.slotOf(wanted.hash, this.#isWanted);
    const old = this.#index.placeAt(slot);
    const before = old < 0 ? undefined : this.#valueAt(old);
    const seen = old < 0 ? NOBODY : this.#scopesAt(old);
    if (value === undefined) {
      if (!before) return undefined;
    } else if (before && sameBytesAt(before, 0, before.length, value) && sameScopes(seen, scopes)) {
      return undefined;
    }
    const held = old < 0 ? scopes : union(seen, this.#pastAt(old));
    const seers = value === undefined ? held : scopes;
    const revision = ++this.#revision;
    const past = value === undefined || old < 0 ? NOBODY : this.#bounded(minus(held, scopes), revision);
    if (old >= 0) this.#supersede(old);
    const place = this.#add(value, seers, past, revision, traceparent);
    this.#index.set(slot, place, this.#hashAt);
    this.#trim();
    return { revision, concerned: union(held, seers) };
  }

  /** Appends a change of the wanted key and returns its place. */
  #add(value: Uint8Array | undefined, scopes: Scopes, past: Scopes, revision: number, traceparent: string): number {
    const changes = this.#changes;
    const entry = encodeChangeInto(
      { kind: this.#kindBytes, key: wanted.bytes, keyLength: wanted.length, value, revision, traceparent },
      (length) => changes.arena.reserve(length),
    );
    const place = changes.add();
    changes.revision[place] = revision;
    changes.slab[place] = changes.arena.slabs.length - 1;
    changes.at[place] = entry.at;
    changes.length[place] = entry.length;
    changes.valueLength[place] = value?.length ?? 0;
    changes.hash[place] = wanted.hash;
    changes.scopes[place] = this.#scopes.take(scopes);
    changes.flags[place] = Flag.LIVE | (value === undefined ? 0 : Flag.UPDATE);
    if (past !== NOBODY) this.#past.set(place, past);
    this.#liveBytes += entry.length;
    if (value === undefined) this.#tombstones++;
    else this.#objects++;
    return place;
  }

  #bounded(past: Scopes, revision: number): Scopes {
    if (past === undefined || typeof past === "string") return past;
    if (past.size === 0) return NOBODY;
    if (past.size <= MAX_PAST_SCOPES) return past;
    this.#horizon = revision;
    return NOBODY;
  }

  #supersede(place: number): void {
    const { flags, length, scopes } = this.#changes;
    if (flags[place]! & Flag.UPDATE) this.#objects--;
    else this.#tombstones--;
    flags[place]! &= ~Flag.LIVE;
    this.#liveBytes -= length[place]!;
    this.#scopes.release(scopes[place]!);
    this.#past.delete(place);
    this.#removals.delete(place);
  }

  #trim(): void {
    const changes = this.#changes;
    if (this.#tombstones > this.#maxTombstones) {
      // Half of them at once, so that looking for the oldest costs little per deletion.
      let excess = this.#tombstones - Math.floor(this.#maxTombstones / 2);
      for (let place = 0; place < changes.count && excess > 0; place++) {
        if (!this.#isLive(place) || changes.flags[place]! & Flag.UPDATE) continue;
        this.#index.delete(this.#index.slotOf(changes.hash[place]!, (other) => other === place), this.#hashAt);
        this.#supersede(place);
        this.#horizon = Math.max(this.#horizon, changes.revision[place]!);
        excess--;
      }
    }
    const live = this.#objects + this.#tombstones;
    if (changes.count > 2 * live + SWEEP_SLACK) this.#compact();
    if (changes.arena.allocated > 2 * this.#liveBytes + ARENA_SLACK_BYTES) changes.sweepArena();
  }

  #compact(): void {
    const past = new Map<number, Scopes>();
    const removals = new Map<number, ByteRange>();
    this.#changes.compact((from, to) => {
      if (this.#past.has(from)) past.set(to, this.#past.get(from));
      const removal = this.#removals.get(from);
      if (removal) removals.set(to, removal);
    });
    this.#past = past;
    this.#removals = removals;
    this.#index.rebuild(this.#changes.count, this.#hashAt);
  }

  /** Calls `visit` with the place and revision of the live changes after `revision`, oldest first, until it says false. */
  scan(revision: number, visit: (place: number, revision: number) => boolean): void {
    const changes = this.#changes;
    for (let place = this.#firstAfter(revision); place < changes.count; place++) {
      if (this.#isLive(place) && !visit(place, changes.revision[place]!)) return;
    }
  }

  /** The first place whose revision is greater. */
  #firstAfter(revision: number): number {
    const { revision: revisions, count } = this.#changes;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (revisions[middle]! <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * What a child must be sent of a change that it sees through `filter`: the object, its deletion, or nothing. `since`
   * is the revision that the child started from: it cannot hold what was gone by then.
   */
  toSend(place: number, filter: Scopes, since: number): ByteRange | undefined {
    const { revision, flags } = this.#changes;
    const isUpdate = (flags[place]! & Flag.UPDATE) !== 0;
    const sees = overlap(this.#scopesAt(place), filter);
    if (isUpdate && sees) return this.#entryAt(place);
    if (revision[place]! <= since) return undefined;
    if (!isUpdate) return sees ? this.#entryAt(place) : undefined;
    if (!overlap(this.#pastAt(place), filter)) return undefined;
    let removal = this.#removals.get(place);
    if (!removal) {
      removal = encodeEntry({
        action: EntryAction.DELETE,
        kind: this.kind,
        key: this.#keyAt(place),
        revision: revision[place],
        traceparent: traceparentOf(this.#entryAt(place)),
      });
      this.#removals.set(place, removal);
    }
    return removal;
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

  #isLive(place: number): boolean {
    return (this.#changes.flags[place]! & Flag.LIVE) !== 0;
  }

  #scopesAt(place: number): Scopes {
    return this.#scopes.at(this.#changes.scopes[place]!);
  }

  /** Without an entry it is nobody; undefined means everyone. */
  #pastAt(place: number): Scopes {
    return this.#past.has(place) ? this.#past.get(place) : NOBODY;
  }

  #entryAt(place: number): ByteRange {
    const { arena, slab, at, length } = this.#changes;
    return { slab: arena.slabs[slab[place]!]!, at: at[place]!, length: length[place]! };
  }

  #valueAt(place: number): Uint8Array | undefined {
    const { flags, valueLength } = this.#changes;
    if ((flags[place]! & Flag.UPDATE) === 0) return undefined;
    const { slab, at, length } = this.#entryAt(place);
    return slab.subarray(at + length - valueLength[place]!, at + length);
  }

  #keyAt(place: number): string {
    const { slab, at } = this.#entryAt(place);
    return keyTextOf(slab, at);
  }

  readonly #hashAt = (place: number): number => this.#changes.hash[place]!;

  readonly #isWanted = (place: number): boolean => {
    if (this.#hashAt(place) !== wanted.hash) return false;
    const { slab, at } = this.#entryAt(place);
    const { from, to } = keyRangeOf(slab, at);
    return wanted.equals(slab, from, to - from);
  };
}
