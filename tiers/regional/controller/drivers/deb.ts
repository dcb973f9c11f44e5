/** What a Debian package says of what it needs. */
export interface DebControl {
  /** Names of the packages that it depends on, alternatives apart. */
  readonly depends: readonly string[];
}

/** A file that is no Debian package. */
export class DebError extends Error {
  override readonly name = "DebError";
}

const MAGIC = "!<arch>\n";
const AR_HEADER_BYTES = 60;
const TAR_BLOCK_BYTES = 512;
/** Longest control data that is looked at, unpacked, in bytes. */
const MAX_CONTROL_BYTES = 4 * 1024 * 1024;

/**
 * Reads the control data of a Debian package. Undefined when it is packed in a way that the runtime cannot unpack (xz,
 * zstd). Throws {@linkcode DebError} when the file is no such package.
 */
export async function readDebControl(file: Uint8Array<ArrayBuffer>): Promise<DebControl | undefined> {
  const [name, data] = controlArchive(file);
  const compression = name.slice("control.tar".length);
  if (compression !== "" && compression !== ".gz") return undefined;
  const archive = compression === "" ? data.slice(0, MAX_CONTROL_BYTES) : await gunzip(data);
  return { depends: dependencies(controlFile(archive)) };
}

/** The member of the outer archive with the control data. */
function controlArchive(file: Uint8Array<ArrayBuffer>): [name: string, data: Uint8Array<ArrayBuffer>] {
  if (text(file.subarray(0, MAGIC.length)) !== MAGIC) throw new DebError("it does not begin as an archive does");
  for (let at = MAGIC.length; at + AR_HEADER_BYTES <= file.length;) {
    const header = text(file.subarray(at, at + AR_HEADER_BYTES));
    const name = header.slice(0, 16).trim().replace(/\/$/, "");
    const size = Number(header.slice(48, 58).trim());
    if (!Number.isSafeInteger(size) || size < 0 || header.slice(58) !== "`\n") break;
    const start = at + AR_HEADER_BYTES;
    if (start + size > file.length) break;
    if (name.startsWith("control.tar")) return [name, file.subarray(start, start + size)];
    at = start + size + size % 2;
  }
  throw new DebError("it has no control data");
}

async function gunzip(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for await (const chunk of new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"))) {
      chunks.push(chunk);
      // Small files may unpack to huge ones; what matters is near the beginning.
      if ((size += chunk.length) > MAX_CONTROL_BYTES) break;
    }
  } catch (cause) {
    throw new DebError("its control data cannot be unpacked", { cause });
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** The file `control` of the inner archive. */
function controlFile(archive: Uint8Array): string {
  for (let at = 0; at + TAR_BLOCK_BYTES <= archive.length;) {
    const name = text(archive.subarray(at, at + 100)).replace(/\0.*$/s, "");
    const size = parseInt(text(archive.subarray(at + 124, at + 136)), 8);
    if (name === "" || !Number.isSafeInteger(size) || size < 0) break;
    const start = at + TAR_BLOCK_BYTES;
    if (name === "control" || name === "./control") return text(archive.subarray(start, start + size));
    at = start + Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
  }
  throw new DebError("it has no file control");
}

function dependencies(control: string): string[] {
  // A line that begins with a space goes on with the one before.
  const lines = control.replace(/\n[ \t]+/g, " ").split("\n");
  const fields = lines.filter((line) => /^(Pre-)?Depends:/i.test(line)).map((line) =>
    line.slice(line.indexOf(":") + 1)
  );
  return fields.flatMap((field) => field.split(/[,|]/)).map((part) => part.trim().split(/[\s(:]/)[0]!)
    .filter((name) => name !== "");
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
