import { DecodeError } from "./errors.ts";

/** The lenient decoder is more than twice as fast as the strict one, which is only asked when there is doubt. */
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const REPLACEMENT = "\ufffd";
/** Up to here, building ASCII text by hand is faster than a decoder's call (measured). */
const SHORT_TEXT_BYTES = 20;
const TWO_POW_32 = 4294967296;

/** Reads the protobuf wire format. Every method throws {@linkcode DecodeError} when the bytes end early or make no sense. */
export class Reader {
  readonly #buffer: Uint8Array;
  readonly #view: DataView;
  #position = 0;
  #low = 0;
  #high = 0;

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position;
  }

  /** Tag of the next field (number × 8 + wire type). */
  tag(): number {
    const tag = this.uint32();
    if (tag < 8) throw new DecodeError("Field number 0 is not allowed");
    return tag;
  }

  /** Unsigned 32-bit varint; longer ones are cut to 32 bits. */
  uint32(): number {
    const byte = this.#buffer[this.#position];
    if (byte !== undefined && byte < 128) {
      this.#position++;
      return byte;
    }
    this.#varint();
    return this.#low;
  }

  /** Signed 32-bit varint; also enums. */
  int32(): number {
    return this.uint32() | 0;
  }

  /** Zigzag 32-bit varint. */
  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Signed 64-bit varint, rounded to a double beyond 2^53. */
  int64(): number {
    this.#varint();
    return (this.#high | 0) * TWO_POW_32 + this.#low;
  }

  /** Unsigned 64-bit varint, rounded to a double beyond 2^53. */
  uint64(): number {
    this.#varint();
    return this.#high * TWO_POW_32 + this.#low;
  }

  /** Zigzag 64-bit varint, rounded to a double beyond 2^53. */
  sint64(): number {
    this.#varint();
    const zigzag = (BigInt(this.#high) << 32n) | BigInt(this.#low);
    return Number((zigzag >> 1n) ^ -(zigzag & 1n));
  }

  #varint(): void {
    const buffer = this.#buffer;
    let position = this.#position;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = buffer[position++];
      if (byte === undefined) throw new DecodeError("Message ends inside a number");
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) {
        this.#position = position;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new DecodeError("Number is longer than ten bytes");
  }

  /** One varint as a truth value. */
  bool(): boolean {
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  #take(bytes: number): number {
    const start = this.#position;
    if (bytes > this.#buffer.length - start) throw new DecodeError("Message ends inside a field");
    this.#position = start + bytes;
    return start;
  }

  /** Four bytes, little-endian, unsigned. */
  fixed32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Four bytes, little-endian, signed. */
  sfixed32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** Eight bytes, little-endian, unsigned. */
  fixed64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  /** Eight bytes, little-endian, signed. */
  sfixed64(): number {
    return Number(this.#view.getBigInt64(this.#take(8), true));
  }

  /** IEEE 754 single precision. */
  float(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }

  /** IEEE 754 double precision. */
  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** Length-delimited bytes, copied, so that they do not keep the whole message alive. */
  bytes(): Uint8Array {
    const length = this.uint32();
    const start = this.#take(length);
    return this.#buffer.slice(start, start + length);
  }

  /** Length-delimited UTF-8; anything else is refused, as proto3 wants. */
  string(): string {
    const length = this.uint32();
    const start = this.#take(length);
    const end = start + length;
    const buffer = this.#buffer;
    if (length < SHORT_TEXT_BYTES) {
      let text = "";
      let i = start;
      for (; i < end; i++) {
        const byte = buffer[i]!;
        if (byte > 127) break;
        text += String.fromCharCode(byte);
      }
      if (i === end) return text;
    }
    const bytes = buffer.subarray(start, end);
    const text = lenientDecoder.decode(bytes);
    if (!text.includes(REPLACEMENT)) return text;
    try {
      return strictDecoder.decode(bytes);
    } catch {
      throw new DecodeError("String is not valid UTF-8");
    }
  }

  /** Reads the length of an embedded part and returns the position of its end. */
  end(): number {
    const length = this.uint32();
    if (length > this.#buffer.length - this.#position) throw new DecodeError("Message ends inside a field");
    return this.#position + length;
  }

  /** Checks that an embedded part ended where its length said. */
  close(end: number): void {
    if (this.#position !== end) throw new DecodeError("Field reaches beyond the end of its message");
  }

  /** Skips a field that the schema does not know. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.#varint();
        return;
      case 1:
        this.#take(8);
        return;
      case 2:
        this.#take(this.uint32());
        return;
      case 5:
        this.#take(4);
        return;
      case 3:
        this.#skipGroup(tag >>> 3);
        return;
      default:
        throw new DecodeError(`Wire type ${tag & 7} is not allowed here`);
    }
  }

  /** Groups are gone from proto3 but old senders may still have them; iterative, because depth is the sender's choice. */
  #skipGroup(number: number): void {
    const open = [number];
    while (open.length > 0) {
      const tag = this.tag();
      const wireType = tag & 7;
      if (wireType === 3) open.push(tag >>> 3);
      else if (wireType === 4) {
        if (open.pop() !== tag >>> 3) throw new DecodeError("Group ends under another number");
      } else this.skip(tag);
    }
  }
}
