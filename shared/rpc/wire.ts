/** Longest varint of protobuf, bytes. */
const MAX_VARINT_BYTES = 10;

/** One field of an encoded message: bytes of a length-delimited field, the number of any other. */
export type WireField = readonly [number: number, value: Uint8Array | number];

/** The fields of an encoded protobuf message, in order. @throws {TypeError} when the bytes are no message. */
export function readFields(bytes: Uint8Array): WireField[] {
  const fields: WireField[] = [];
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new TypeError("The message ends inside a number");
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new TypeError(`A number is longer than ${MAX_VARINT_BYTES} bytes`);
  }

  function take(length: number): Uint8Array {
    if (length > bytes.length - at) throw new TypeError(`A field of ${length} bytes passes the end of the message`);
    at += length;
    return bytes.subarray(at - length, at);
  }

  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        fields.push([number, varint()]);
        break;
      case 1:
        take(8);
        break;
      case 2:
        fields.push([number, take(varint())]);
        break;
      case 5:
        take(4);
        break;
      default:
        throw new TypeError(`Field ${number} has the unknown wire type ${tag % 8}`);
    }
  }
  return fields;
}

/** An encoded length-delimited field. */
export function bytesField(number: number, value: Uint8Array): Uint8Array {
  return joinBytes([new Uint8Array([...varintOf(number * 8 + 2), ...varintOf(value.length)]), value]);
}

/** An encoded text field. */
export function textField(number: number, value: string): Uint8Array {
  return bytesField(number, new TextEncoder().encode(value));
}

/** An encoded number field; the number is not negative. */
export function numberField(number: number, value: number): Uint8Array {
  return new Uint8Array([...varintOf(number * 8), ...varintOf(value)]);
}

/** The parts one after the other: what an encoded message is of its fields. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Text of a length-delimited field. @throws {TypeError} when it is a number, or no UTF-8. */
export function textOf(value: Uint8Array | number): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(nestedOf(value));
}

/** Bytes of a length-delimited field. @throws {TypeError} when it is a number. */
export function nestedOf(value: Uint8Array | number): Uint8Array {
  if (typeof value === "number") throw new TypeError("A field is a number where bytes were expected");
  return value;
}

function varintOf(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}
