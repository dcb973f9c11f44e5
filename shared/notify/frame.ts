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

/** An entry encoded as an element of a batch, and its value as a view into the same bytes. */
export interface EncodedEntry {
  readonly bytes: Uint8Array;
  readonly value: Uint8Array;
}

/** How many entries were encoded by this process: tests and diagnostics prove by it that a change is encoded once. */
export const encodeCounter = { entries: 0 };

/** Encodes an entry once, in the form in which every stream sends it. The value comes last, so that it is a view. */
export function encodeEntry(entry: Partial<Entry>): EncodedEntry {
  encodeCounter.entries++;
  const value = entry.value ?? new Uint8Array();
  const head = Entry.encode({
    action: entry.action ?? EntryAction.UPDATE,
    kind: entry.kind ?? "",
    key: entry.key ?? "",
    value: new Uint8Array(),
    revision: entry.revision ?? 0,
    epoch: entry.epoch ?? "",
    traceparent: entry.traceparent ?? "",
    correlation: entry.correlation ?? "",
  });
  const tail = value.length === 0 ? 0 : 1 + varintLength(value.length) + value.length;
  const length = head.length + tail;
  const bytes = new Uint8Array(1 + varintLength(length) + length);
  bytes[0] = ENTRIES_TAG;
  let position = writeVarint(bytes, 1, length);
  bytes.set(head, position);
  position += head.length;
  if (tail > 0) {
    bytes[position++] = VALUE_TAG;
    position = writeVarint(bytes, position, value.length);
    bytes.set(value, position);
  }
  return { bytes, value: bytes.subarray(bytes.length - value.length) };
}

/** Gathers encoded entries into one frame. */
export class FrameBuilder {
  readonly #limit: number;
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;

  /** @param limit size at which the frame counts as full, bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Entries so far. */
  get entries(): number {
    return this.#parts.length;
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether an entry of so many bytes still fits into the limit less `reserve`; the first one always does. */
  fits(bytes: number, reserve = 0): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#limit - reserve;
  }

  /** Adds an encoded entry. */
  add(entry: Uint8Array): void {
    this.#parts.push(entry);
    this.#bytes += entry.length;
  }

  /** The frame. */
  finish(): Uint8Array {
    const frame = new Uint8Array(1 + varintLength(this.#bytes) + this.#bytes);
    frame[0] = BATCH_TAG;
    let position = writeVarint(frame, 1, this.#bytes);
    for (const part of this.#parts) {
      frame.set(part, position);
      position += part.length;
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
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
