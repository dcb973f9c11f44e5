import type { ByteRange } from "./arena.ts";
import { plainEntries } from "./batch_reader.ts";
import { Entry, Entry_Action as EntryAction, NotifyFrame } from "../schema/mod.ts";

export { Entry, EntryAction };

/** Length of a protobuf varint. */
function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Writes a varint and returns the position after it. */
function writeVarint(target: Uint8Array, position: number, value: number): number {
  let rest = value;
  while (rest >= 128) {
    target[position++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  target[position++] = rest;
  return position;
}

/** Tag of `Batch.entries` (field 1, length-delimited). */
const ENTRIES_TAG = 0x0a;
/** Tag of `Entry.value` (field 4, length-delimited). */
const VALUE_TAG = 0x22;
/** Tag of `NotifyFrame.batch` (field 2, length-delimited). */
const BATCH_TAG = 0x12;

let encoded = 0;

/** How many entries this process has encoded so far: tests and diagnostics prove by it that a change is encoded once. */
export const encodeCounter: { entries: number } = {
  get entries(): number {
    return encoded;
  },
};

const NO_VALUE = new Uint8Array();

/**
 * Encodes an entry once, as an element of a batch, in the form in which every stream sends it. The value comes last, so that it
 * can be had as a view. `reserve` gives the place for it.
 */
export function encodeEntryInto(entry: Partial<Entry>, reserve: (length: number) => ByteRange): ByteRange {
  encoded++;
  const value = entry.value ?? NO_VALUE;
  const head = Entry.encode({
    action: entry.action ?? EntryAction.UPDATE,
    kind: entry.kind ?? "",
    key: entry.key ?? "",
    value: NO_VALUE,
    revision: entry.revision ?? 0,
    epoch: entry.epoch ?? "",
    traceparent: entry.traceparent ?? "",
    correlation: entry.correlation ?? "",
  });
  const tail = value.length === 0 ? 0 : 1 + varintLength(value.length) + value.length;
  const length = head.length + tail;
  const range = reserve(1 + varintLength(length) + length);
  const { slab, at } = range;
  slab[at] = ENTRIES_TAG;
  let position = writeVarint(slab, at + 1, length);
  slab.set(head, position);
  position += head.length;
  if (tail > 0) {
    slab[position++] = VALUE_TAG;
    position = writeVarint(slab, position, value.length);
    slab.set(value, position);
  }
  return range;
}

/** Encodes an entry into an array of its own. */
export function encodeEntry(entry: Partial<Entry>): ByteRange {
  return encodeEntryInto(entry, (length) => ({ slab: new Uint8Array(length), at: 0, length }));
}

/** Gathers encoded entries into one frame. */
export class FrameBuilder {
  readonly #limit: number;
  /** Runs of entries that lie behind each other: mostly few. */
  readonly #runs: { readonly slab: Uint8Array; readonly from: number; to: number }[] = [];
  #entries = 0;
  #bytes = 0;

  /** @param limit size at which the frame counts as full, bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Entries so far. */
  get entries(): number {
    return this.#entries;
  }

  /** Whether an entry of so many bytes still fits into the limit less `reserve`; the first one always does. */
  fits(bytes: number, reserve = 0): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#limit - reserve;
  }

  /** Adds an encoded entry. */
  add({ slab, at, length }: ByteRange): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.slab === slab && last.to === at) last.to += length;
    else this.#runs.push({ slab, from: at, to: at + length });
    this.#entries++;
    this.#bytes += length;
  }

  /** The frame. */
  finish(): Uint8Array {
    const frame = new Uint8Array(1 + varintLength(this.#bytes) + this.#bytes);
    frame[0] = BATCH_TAG;
    let position = writeVarint(frame, 1, this.#bytes);
    for (const { slab, from, to } of this.#runs) {
      frame.set(slab.subarray(from, to), position);
      position += to - from;
    }
    return frame;
  }
}

/** Encodes a hello or a refusal. */
export function encodeControl(body: Parameters<typeof NotifyFrame.create>[0]): Uint8Array {
  return NotifyFrame.encode(NotifyFrame.create(body));
}

/** What a frame holds: one of the three. */
export interface Frame {
  readonly hello: NotifyFrame["hello"];
  readonly batch: { readonly entries: readonly Entry[] } | undefined;
  readonly refusal: NotifyFrame["refusal"];
}

/**
 * Reads a frame. Values are views into it: who keeps one for long copies it, or keeps the frame.
 * @throws when the bytes are no frame.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const entries = plainEntries(bytes);
  return entries ? { hello: undefined, batch: { entries }, refusal: undefined } : NotifyFrame.decode(bytes);
}

/** Whether both hold the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return sameBytesAt(a, 0, a.length, b);
}

/** Whether the `length` bytes of `slab` from `at` on are those of `b`. */
export function sameBytesAt(slab: Uint8Array, at: number, length: number, b: Uint8Array): boolean {
  if (length !== b.length) return false;
  for (let i = 0; i < length; i++) if (slab[at + i] !== b[i]) return false;
  return true;
}
