const BLOCK_BYTES = 512;
const MAX_NAME_BYTES = 100;

/** One file of an archive. */
export interface TarFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Permission bits, e.g. 0o755. */
  readonly mode: number;
}

/** An archive in the POSIX ustar form; the same files give the same bytes. Throws RangeError for a name that is too long. */
export function tar(files: readonly TarFile[]): Uint8Array<ArrayBuffer> {
  const size = files.reduce((sum, { bytes }) => sum + BLOCK_BYTES + padded(bytes.length), 2 * BLOCK_BYTES);
  const archive = new Uint8Array(size);
  let at = 0;
  for (const file of files) {
    archive.set(header(file), at);
    archive.set(file.bytes, at + BLOCK_BYTES);
    at += BLOCK_BYTES + padded(file.bytes.length);
  }
  return archive;
}

function padded(length: number): number {
  return Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
}

function header({ name, bytes, mode }: TarFile): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (text: string, offset: number) => block.set(new TextEncoder().encode(text), offset);
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    throw new RangeError(`Name of a file in an archive is longer than ${MAX_NAME_BYTES} bytes: ${name}`);
  }
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0") + "\0";
  put(name, 0);
  put(octal(mode, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(bytes.length, 11), 124);
  put(octal(0, 11), 136);
  put(" ".repeat(8), 148);
  put("0", 156);
  put("ustar\0" + "00", 257);
  put(`${octal(block.reduce((sum, byte) => sum + byte, 0), 6)} `, 148);
  return block;
}
