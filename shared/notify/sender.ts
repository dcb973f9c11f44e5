import type { ChangeList } from "./change_list.ts";
import { encodeEntry, EntryAction, FrameBuilder } from "./frame.ts";
import type { NotifyLimits } from "./limits.ts";
import { MessageLane } from "./message_lane.ts";
import type { Scopes } from "./scopes.ts";

/** Where a receiver stands in a kind. */
export interface Position {
  readonly epoch: string;
  readonly revision: number;
}

/** One kind as a stream sends it. */
export interface SentKind {
  readonly list: ChangeList;
  /** Only objects for these scopes are sent. */
  readonly filter: Scopes;
  /** Epoch of the list, as the receiver is told it: another one for each filter. */
  readonly epoch: string;
}

/** How one stream stands in one kind. */
interface Cursor extends SentKind {
  /** What the receiver said that it holds. */
  held: Position | undefined;
  /** `new`: nothing sent yet. `syncing`: on the way to the marker. `live`: the marker was sent. */
  phase: "new" | "syncing" | "live";
  /** Everything up to this revision has been sent, or is of no concern to the receiver. */
  revision: number;
  /** The receiver cannot hold what was gone by then. */
  since: number;
  /** Whether there may be something to send. */
  pending: boolean;
  /** Revision that the receiver was last told, by an entry or a marker. */
  told: number;
}

/** Markers tell an otherwise quiet receiver how far it is, once it has fallen behind by so many revisions. */
const TELL_REVISIONS = 1_024;
/** While state waits, messages get this share of a frame. */
const MESSAGE_SHARE = 1 / 4;

/** What a sender has sent. */
export interface SentCounts {
  frames: number;
  bytes: number;
  entries: number;
  snapshots: number;
  resumes: number;
}

/** The sending half of one stream: a cursor per kind and a lane of messages, nothing per object. */
export class Sender {
  readonly sent: SentCounts = { frames: 0, bytes: 0, entries: 0, snapshots: 0, resumes: 0 };
  readonly lane: MessageLane;
  readonly #cursors: Cursor[];
  readonly #limits: NotifyLimits;
  readonly #takeFrame: (bytes: number) => Uint8Array;

  /**
   * @param kinds kinds to send, in dependency order.
   * @param held what the receiver holds, per kind.
   * @param takeFrame gives the array for a frame; a new one by default.
   */
  constructor(
    kinds: readonly SentKind[],
    held: ReadonlyMap<string, Position>,
    limits: NotifyLimits,
    takeFrame: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
  ) {
    this.#takeFrame = takeFrame;
    this.#limits = limits;
    this.lane = new MessageLane(limits.queuedMessages, limits.queuedMessageBytes);
    this.#cursors = kinds.map((kind) => ({
      ...kind,
      held: held.get(kind.list.kind),
      phase: "new",
      revision: 0,
      since: 0,
      pending: true,
      told: 0,
    }));
  }

  /** Notes that a change of this kind and revision concerns the receiver. */
  touch(kind: string, revision: number): void {
    // There are few kinds and many streams: a map for each would cost more memory than it saves time.
    const cursor = this.#cursors.find((each) => each.list.kind === kind);
    if (!cursor || cursor.pending) return;
    // Nothing before it concerned the receiver, or the cursor would be pending.
    cursor.revision = revision - 1;
    cursor.pending = true;
  }

  /** Filters of the kinds. */
  filters(): Scopes[] {
    return this.#cursors.map((cursor) => cursor.filter);
  }

  /** How each kind stands. */
  kinds(): { kind: string; inStep: boolean; lag: number }[] {
    return this.#cursors.map(({ list, phase, pending, revision }) => ({
      kind: list.kind,
      inStep: phase === "live" && !pending,
      lag: pending ? list.revision - revision : 0,
    }));
  }

  /** The next frame, or undefined when there is nothing to send. */
  pull(): Uint8Array | undefined {
    const frame = new FrameBuilder(this.#limits.frameBytes);
    const reserve = Math.min(this.lane.bytes, this.#limits.frameBytes * MESSAGE_SHARE);
    this.#fill(frame, reserve);
    this.lane.drain((message) => {
      if (!frame.fits(message.length)) return false;
      frame.add(message);
      return true;
    });
    if (frame.entries === 0) return undefined;
    const bytes = frame.finish(this.#takeFrame);
    this.sent.frames++;
    this.sent.bytes += bytes.length;
    this.sent.entries += frame.entries;
    return bytes;
  }

  /**
   * Goes through the kinds in dependency order, from the first one in every frame: what an object refers to was there
   * before it, so it has been sent or goes first. A kind waits while those before it change faster than can be sent.
   */
  #fill(frame: FrameBuilder, reserve: number): void {
    for (const cursor of this.#cursors) {
      if (!cursor.list.ready) return;
      if (cursor.pending && !this.#send(cursor, frame, reserve)) return;
    }
  }

  /** Sends what it can of a kind; false when the frame is full. */
  #send(cursor: Cursor, frame: FrameBuilder, reserve: number): boolean {
    const { list } = cursor;
    if (cursor.phase === "new" || cursor.revision < list.horizon) {
      if (!this.#begin(cursor, frame, reserve)) return false;
    }
    let full = false;
    list.scan(cursor.revision, (place, revision) => {
      const bytes = list.toSend(place, cursor.filter, cursor.since);
      if (bytes) {
        full = !frame.fits(bytes.length, reserve);
        if (full) return false;
        frame.add(bytes);
        cursor.told = revision;
      }
      cursor.revision = revision;
      return true;
    });
    if (full) return false;
    cursor.revision = list.revision;
    if (cursor.phase !== "live" || cursor.revision - cursor.told > TELL_REVISIONS) {
      const marker = list.marker(cursor.epoch);
      if (!frame.fits(marker.length, reserve)) return false;
      frame.add(marker);
      cursor.phase = "live";
      cursor.told = cursor.revision;
    }
    cursor.pending = false;
    return true;
  }

  /** Settles where to start: from what the receiver holds, or with a snapshot. False when the frame is full. */
  #begin(cursor: Cursor, frame: FrameBuilder, reserve: number): boolean {
    const { list, held } = cursor;
    const resumable = cursor.phase === "new" && held !== undefined && held.epoch === cursor.epoch &&
      held.revision >= list.horizon && held.revision <= list.revision;
    if (resumable) {
      this.sent.resumes++;
      cursor.revision = cursor.since = cursor.told = held.revision;
    } else {
      const begin = encodeEntry({
        action: EntryAction.SNAPSHOT_BEGIN,
        kind: list.kind,
        epoch: cursor.epoch,
        revision: list.revision,
      });
      if (!frame.fits(begin.length, reserve)) return false;
      frame.add(begin);
      this.sent.snapshots++;
      cursor.revision = cursor.told = 0;
      cursor.since = list.revision;
    }
    cursor.phase = "syncing";
    return true;
  }
}
