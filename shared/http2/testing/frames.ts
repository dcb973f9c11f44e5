import { CLIENT_PREFACE, Flag, FrameType } from "../core/constants.ts";
import { type HeaderList, HpackDecoder, HpackEncoder } from "../hpack/mod.ts";

/** A frame as tests see it. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Uint8Array;
}

/** Octets of a frame. */
export function frame(type: number, flags: number, id: number, payload: ArrayLike<number> = []): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  bytes.set([payload.length >>> 16, payload.length >>> 8, payload.length, type, flags]);
  new DataView(bytes.buffer).setUint32(5, id);
  bytes.set(payload, 9);
  return bytes;
}

/** Octets of a 32-bit number. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** A SETTINGS frame. */
export function settings(...pairs: readonly [id: number, value: number][]): Uint8Array {
  return frame(FrameType.SETTINGS, 0, 0, concat(...pairs.map(([id, value]) => concat([id >> 8, id], u32(value)))));
}

/** The preface of a client with empty SETTINGS. */
export const HELLO: Uint8Array = concat(CLIENT_PREFACE, frame(FrameType.SETTINGS, 0, 0));

/** One array from many. */
export function concat(...parts: ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Cuts octets into frames; throws when they do not end with one. */
export function parseFrames(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at]! << 16 | bytes[at + 1]! << 8 | bytes[at + 2]!;
    const id = new DataView(bytes.buffer, bytes.byteOffset + at + 5).getUint32(0) & 0x7fffffff;
    if (at + 9 + length > bytes.length) throw new Error("Octets do not end with a frame");
    frames.push({ type: bytes[at + 3]!, flags: bytes[at + 4]!, id, payload: bytes.slice(at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return frames;
}

/** Octets from hexadecimal digits; blanks are ignored. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.from(digits.replace(/\s+/g, "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Octets as hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

/** The header list of a request to `path`, and more fields. */
export function request(path = "/", ...more: HeaderList): HeaderList {
  return [[":method", "POST"], [":scheme", "http"], [":path", path], [":authority", "test"], ...more];
}

/** The compression state of a peer that is written by hand. */
export class PeerHpack {
  readonly #encoder = new HpackEncoder({ tableBytes: 4096 });
  readonly #decoder = new HpackDecoder({ tableBytes: 4096, maxListBytes: 1 << 20, maxFields: 10_000 });

  /** A HEADERS frame with the whole list. */
  headers(id: number, list: HeaderList, flags = 0): Uint8Array {
    return frame(FrameType.HEADERS, Flag.END_HEADERS | flags, id, this.#encoder.encode(list));
  }

  /** The list of a HEADERS frame received. */
  decode(headers: Frame): HeaderList {
    return this.#decoder.decode(headers.payload, 0, headers.payload.length).headers;
  }
}
