/** A file of an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Size when unpacked, as the archive says. */
  readonly size: number;
  readonly method: number;
  readonly packed: Uint8Array;
}

/** An archive that cannot be read, with the reason. */
export class ZipError extends Error {
  override readonly name = "ZipError";
}

const END_SIGNATURE = 0x06054b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;
const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;

/** Files of a zip archive by its directory, without unpacking any. Throws {@linkcode ZipError}. */
export function readZip(bytes: Uint8Array): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL_SIGNATURE) {
      throw new ZipError("its directory is broken");
    }
    const nameBytes = view.getUint16(at + 28, true);
    const local = view.getUint32(at + 42, true);
    const packedSize = view.getUint32(at + 20, true);
    if (local + LOCAL_BYTES > end || view.getUint32(local, true) !== LOCAL_SIGNATURE) {
      throw new ZipError("a file in it is broken");
    }
    const data = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (data + packedSize > end) throw new ZipError("a file in it is cut off");
    if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0) throw new ZipError("it is encrypted");
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes)),
      size: view.getUint32(at + 24, true),
      method: view.getUint16(at + 10, true),
      packed: bytes.subarray(data, data + packedSize),
    });
    at += CENTRAL_BYTES + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

/** Text of a file. Throws {@linkcode ZipError} beyond `maxBytes`, whatever size the archive claims. */
export async function unpackText({ name, method, packed }: ZipEntry, maxBytes: number): Promise<string> {
  if (method === STORED) {
    if (packed.length > maxBytes) throw new ZipError(`${name} is longer than ${maxBytes} bytes`);
    return new TextDecoder().decode(packed);
  }
  if (method !== DEFLATED) throw new ZipError(`${name} is packed in a way that is not known`);
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  try {
    const stream = new Blob([Uint8Array.from(packed)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > maxBytes) throw new ZipError(`${name} is longer than ${maxBytes} bytes`);
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    if (error instanceof ZipError) throw error;
    throw new ZipError(`${name} cannot be unpacked`);
  }
  return text + decoder.decode();
}

/** The record at the end is followed by nothing but a comment. */
function findEnd(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
    if (view.getUint32(at, true) === END_SIGNATURE) return at;
  }
  throw new ZipError("it is no zip archive");
}
