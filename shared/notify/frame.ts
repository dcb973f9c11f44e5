import { Buffer } from "node:buffer";
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
/** Tags of `Entry`: field number × 8 + wire type. */
const ACTION_TAG = 0x08;
const KIND_TAG = 0x12;
const KEY_TAG = 0x1a;
const VALUE_TAG = 0x22;
const REVISION_TAG = 0x28;
const TRACEPARENT_TAG = 0x3a;
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

/** A change as it is to be encoded, its texts in UTF-8. */
export interface EncodedChange {
  readonly kind: Uint8Array;
  /** The key is the first `keyLength` bytes. */
  readonly key: Uint8Array;
  readonly keyLength: number;
  /** Undefined for a deletion. */
  readonly value: Uint8Array | undefined;
  readonly revision: number;
  readonly traceparent: string;
}

/**
 * Encodes a change once, as an element of a batch, in the form in which every stream sends it. The value comes last, so that it
 * can be had as a view. `reserve` gives the place for it.
 */
export function encodeChangeInto(change: EncodedChange, reserve: (length: number) => ByteRange): ByteRange {
  encoded++;
  const { kind, key, keyLength, value = NO_VALUE, revision } = change;
  const trace = change.traceparent === "" ? NO_VALUE : utf8.encode(change.traceparent);
  const length = (change.value === undefined ? 2 : 0) + fieldLength(kind.length) + fieldLength(keyLength) +
    1 + varintLength(revision) + fieldLength(trace.length) + fieldLength(value.length);
  const range = reserve(1 + varintLength(length) + length);
  const { slab, at } = range;
  slab[at] = ENTRIES_TAG;
  let position = writeVarint(slab, at + 1, length);
  if (change.value === undefined) {
    slab[position++] = ACTION_TAG;
    slab[position++] = EntryAction.DELETE;
  }
  position = writeField(slab, position, KIND_TAG, kind, kind.length);
  position = writeField(slab, position, KEY_TAG, key, keyLength);
  slab[position++] = REVISION_TAG;
  position = writeVarint(slab, position, revision);
  position = writeField(slab, position, TRACEPARENT_TAG, trace, trace.length);
  writeField(slab, position, VALUE_TAG, value, value.length);
  return range;
}

const utf8 = new TextEncoder();

/** Length of a field of bytes with its tag; an empty one is left out. */
function fieldLength(length: number): number {
  return length === 0 ? 0 : 1 + varintLength(length) + length;
}

/** Writes a field of bytes and returns the position after it. */
function writeField(target: Uint8Array, position: number, tag: number, bytes: Uint8Array, length: number): number {
  if (length === 0) return position;
  target[position++] = tag;
  position = writeVarint(target, position, length);
  target.set(bytes.length === length ? bytes : bytes.subarray(0, length), position);
  return position + length;
}

/** Position after a varint. */
function skipVarint(bytes: Uint8Array, position: number): number {
  while (bytes[position]! >= 128) position++;
  return position + 1;
}

/** Where the key of a change is that {@linkcode encodeChangeInto} put at `at`. */
export function keyRangeOf(slab: Uint8Array, at: number): { from: number; to: number } {
  let position = skipVarint(slab, at + 1);
  if (slab[position] === ACTION_TAG) position += 2;
  // The kind, and the key behind it.
  for (const tag of [KIND_TAG, KEY_TAG]) {
    if (slab[position] !== tag) return { from: position, to: position };
    let length = 0;
    let scale = 1;
    for (position++; slab[position]! >= 128; position++, scale *= 128) length += (slab[position]! & 127) * scale;
    length += slab[position++]! * scale;
    if (tag === KEY_TAG) return { from: position, to: position + length };
    position += length;
  }
  return { from: position, to: position };
}

/** The key of such a change. */
export function keyTextOf(slab: Uint8Array, at: number): string {
  const { from, to } = keyRangeOf(slab, at);
  return Buffer.from(slab.buffer, slab.byteOffset + from, to - from).toString("utf8");
}

/** The trace context of such a change. */
export function traceparentOf({ slab, at, length }: ByteRange): string {
  return Entry.decode(slab.subarray(skipVarint(slab, at + 1), at + length)).traceparent;
}

/** Encodes any other entry, as an element of a batch, into an array of its own. */
export function encodeEntry(entry: Partial<Entry>): ByteRange {
  encoded++;
  const body = Entry.encode(Entry.create(entry));
  const slab = new Uint8Array(1 + varintLength(body.length) + body.length);
  slab[0] = ENTRIES_TAG;
  slab.set(body, writeVarint(slab, 1, body.length));
  return { slab, at: 0, length: slab.length };
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

  /** The frame, in an array that `take` gives. */
  finish(take: (bytes: number) => Uint8Array): Uint8Array {
    const frame = take(1 + varintLength(this.#bytes) + this.#bytes);
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
