const encoder = new TextEncoder();
const INITIAL_BYTES = 1024;
/** A scratch buffer that grew beyond this is dropped after use, so that one huge message does not stay in memory. */
const KEEP_AT_MOST_BYTES = 1 << 20;
const TWO_POW_32 = 4294967296;

/** Writes the protobuf wire format into one growing buffer. Numbers are not range-checked: out-of-range values wrap as the format does. */
export class Writer {
  #buffer = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#buffer.buffer);
  #position = 0;

  /** Returns a copy of what was written, and starts anew. */
  finish(): Uint8Array {
    const bytes = this.#buffer.slice(0, this.#position);
    this.reset();
    return bytes;
  }

  /** Forgets what was written. */
  reset(): void {
    this.#position = 0;
    if (this.#buffer.length > KEEP_AT_MOST_BYTES) this.#replace(new Uint8Array(INITIAL_BYTES));
  }

  #replace(buffer: Uint8Array<ArrayBuffer>): void {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer);
  }

  #reserve(bytes: number): void {
    const needed = this.#position + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#position));
    this.#replace(grown);
  }

  /** Unsigned 32-bit varint; also tags and lengths. */
  uint32(value: number): void {
    this.#reserve(5);
    value >>>= 0;
    const buffer = this.#buffer;
    let position = this.#position;
    while (value > 127) {
      buffer[position++] = (value & 127) | 128;
      value >>>= 7;
    }
    buffer[position++] = value;
    this.#position = position;
  }

  /** Signed 32-bit varint (negative values take ten bytes); also enums. */
  int32(value: number): void {
    if ((value | 0) >= 0) this.uint32(value);
    else this.#varint64(value | 0, -1);
  }

  /** Zigzag 32-bit varint. */
  sint32(value: number): void {
    this.uint32((value << 1) ^ (value >> 31));
  }

  /** Signed 64-bit varint of an integer; values outside of the 64-bit range become its nearest end. */
  int64(value: number): void {
    if (value >= 9223372036854775807) this.#varint64(-1, 0x7fffffff);
    else if (value <= -9223372036854775808) this.#varint64(0, -0x80000000);
    else this.#varint64(value | 0, Math.floor(value / TWO_POW_32) | 0, value);
  }

  /** Unsigned 64-bit varint of an integer; values outside of the 64-bit range become its nearest end. */
  uint64(value: number): void {
    if (value >= 18446744073709551615) this.#varint64(-1, -1);
    else if (value > 0) this.#varint64(value, Math.floor(value / TWO_POW_32), value);
    else this.#varint64(0, 0);
  }

  /** Zigzag 64-bit varint of an integer. */
  sint64(value: number): void {
    const big = BigInt.asIntN(64, BigInt(value));
    const zigzag = BigInt.asUintN(64, (big << 1n) ^ (big >> 63n));
    this.#varint64(Number(zigzag & 0xffffffffn), Number(zigzag >> 32n));
  }

  /** Low and high words; `whole`, where given, is the same number and lets small values take the short way. */
  #varint64(low: number, high: number, whole = -1): void {
    if (whole >= 0 && whole < TWO_POW_32) return this.uint32(whole);
    low >>>= 0;
    high >>>= 0;
    this.#reserve(10);
    const buffer = this.#buffer;
    let position = this.#position;
    while (high !== 0) {
      buffer[position++] = (low & 127) | 128;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    while (low > 127) {
      buffer[position++] = (low & 127) | 128;
      low >>>= 7;
    }
    buffer[position++] = low;
    this.#position = position;
  }

  /** Four bytes, little-endian, unsigned. */
  fixed32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#position, value, true);
    this.#position += 4;
  }

  /** Four bytes, little-endian, signed. */
  sfixed32(value: number): void {
    this.fixed32(value);
  }

  /** Eight bytes, little-endian, unsigned. */
  fixed64(value: number): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#position, BigInt.asUintN(64, BigInt(value)), true);
    this.#position += 8;
  }

  /** Eight bytes, little-endian, signed. */
  sfixed64(value: number): void {
    this.fixed64(value);
  }

  /** IEEE 754 single precision. */
  float(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#position, value, true);
    this.#position += 4;
  }

  /** IEEE 754 double precision. */
  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#position, value, true);
    this.#position += 8;
  }

  /** One byte, 0 or 1. */
  bool(value: boolean): void {
    this.#reserve(1);
    this.#buffer[this.#position++] = value ? 1 : 0;
  }

  /** Length-delimited bytes. */
  bytes(value: Uint8Array): void {
    this.uint32(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#position);
    this.#position += value.length;
  }

  /** Length-delimited UTF-8; lone surrogates become U+FFFD. */
  string(value: string): void {
    const length = value.length;
    if (length < 128) {
      // Short strings are nearly always ASCII: copy, and start over with the encoder at the first other character.
      this.#reserve(length + 1);
      const start = this.#position;
      const buffer = this.#buffer;
      buffer[start] = length;
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 127) break;
        buffer[start + 1 + i] = code;
      }
      if (i === length) {
        this.#position = start + 1 + length;
        return;
      }
    }
    const mark = this.begin();
    this.#reserve(length * 3);
    this.#position += encoder.encodeInto(value, this.#buffer.subarray(this.#position)).written;
    this.end(mark);
  }

  /** Starts a length-delimited part and returns the mark that `end` wants. */
  begin(): number {
    this.#reserve(1);
    return this.#position++;
  }

  /** Ends the part: writes its length where `begin` left room, moving the part when the length takes more than a byte. */
  end(mark: number): void {
    const length = this.#position - mark - 1;
    if (length < 128) {
      this.#buffer[mark] = length;
      return;
    }
    let extra = 1;
    for (let rest = length >>> 14; rest > 0; rest >>>= 7) extra++;
    this.#reserve(extra);
    this.#buffer.copyWithin(mark + 1 + extra, mark + 1, this.#position);
    const end = this.#position + extra;
    this.#position = mark;
    this.uint32(length);
    this.#position = end;
  }

  /** Like `end`, but takes an empty part and its tag back. */
  endUnlessEmpty(mark: number, tagBytes: number): void {
    if (this.#position === mark + 1) this.#position = mark - tagBytes;
    else this.end(mark);
  }
}
