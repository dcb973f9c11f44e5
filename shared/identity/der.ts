/** One element of DER (X.690): its tag, its content, and where the next one begins. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly end: number;
}

/** Reads elements one after another; every length is checked against what is there. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The tag of the next element, or -1 at the end. */
  peek(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  /** @throws {RangeError} When the bytes are no DER. */
  next(expectedTag?: number): DerElement {
    const tag = this.#byte();
    // Tags above 30 do not occur in the parts of a certificate that are read here.
    if ((tag & 0x1f) === 0x1f || (expectedTag !== undefined && tag !== expectedTag)) {
      throw new RangeError(`Unexpected DER tag ${tag}`);
    }
    const length = this.#length();
    if (length > this.#bytes.length - this.#at) throw new RangeError("DER element is longer than its surroundings");
    const content = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return { tag, content, end: this.#at };
  }

  /** A reader for the inside of the next element. */
  enter(expectedTag?: number): DerReader {
    return new DerReader(this.next(expectedTag).content);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError("DER ends too early");
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new RangeError("DER length is indefinite or too long");
    let length = 0;
    for (let at = 0; at < count; at++) length = length * 256 + this.#byte();
    return length;
  }
}

/** Tags that are used (X.680). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context3: 0xa3,
} as const;

/** An object identifier in dotted form. */
export function readOid(content: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (numbers.length === 0) {
      const first = Math.min(2, Math.floor(value / 40));
      numbers.push(first, value - first * 40);
    } else {
      numbers.push(value);
    }
    value = 0;
  }
  return numbers.join(".");
}

/** A point in time as a certificate writes it (RFC 5280, 4.1.2.5), in epoch milliseconds. */
export function readTime({ tag, content }: DerElement): number {
  const text = new TextDecoder().decode(content);
  const match =
    (tag === TAG.utcTime ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(
      text,
    );
  if (!match) throw new RangeError(`Malformed time ${JSON.stringify(text)}`);
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const fullYear = tag === TAG.utcTime ? (year < 50 ? 2000 + year : 1900 + year) : year;
  return Date.UTC(fullYear, month - 1, day, hour, minute, second);
}
