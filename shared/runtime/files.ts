import type { Clock } from "./clock.ts";
import { watchByPolling } from "./watch.ts";

/** What a path is. */
export type EntryKind = "file" | "directory" | "link" | "other";

/** One name in a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: EntryKind;
}

/** Facts about what a path leads to; links are followed. */
export interface FileStat {
  readonly kind: EntryKind;
  readonly size: number;
  /** Permission bits, such as `0o600`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedMs: number;
  readonly inode: number;
}

/** How a file or directory is created. */
export interface WriteOptions {
  /** @default 0o644 for files, 0o755 for directories */
  readonly mode?: number;
  /** Owner; needs the right to give files away. */
  readonly uid?: number;
  readonly gid?: number;
}

/** How {@linkcode Files.watch} looks. */
export interface WatchOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** @default 1000 */
  readonly intervalMs?: number;
}

/** An exclusive lock, held until released or until the process ends. */
export interface FileLock {
  release(): void;
}

/** The file system. Missing files give {@linkcode FileNotFoundError}. */
export interface Files {
  readText(path: string): Promise<string>;
  readBytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Writes a whole file so that readers see the old content or the new, never a part, also after a power cut.
   *
   * @throws {FileExistsError} With `createOnly` when there is a file already.
   */
  writeAtomic(
    path: string,
    data: string | Uint8Array,
    options?: WriteOptions & { readonly createOnly?: boolean },
  ): Promise<void>;
  /** Makes a directory and its parents; one that is there already is left as it is. */
  makeDirectory(path: string, options?: WriteOptions): Promise<void>;
  /** @returns Whether there was something to remove. */
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** Entries of a directory, sorted by name. */
  list(path: string): Promise<DirectoryEntry[]>;
  exists(path: string): Promise<boolean>;
  stat(path: string): Promise<FileStat | undefined>;
  /** Waits for an exclusive lock on a file, which is created when missing. */
  lock(path: string): Promise<FileLock>;
  /** As `lock`, but gives undefined when another process holds it. */
  tryLock(path: string): Promise<FileLock | undefined>;
  /** Yields the paths whose file changed, appeared or went, each time some did. Polls, so it works on every file system. */
  watch(paths: readonly string[], options: WatchOptions): AsyncIterable<string[]>;
}

/** A path has nothing behind it. */
export class FileNotFoundError extends Error {
  override readonly name = "FileNotFoundError";
  constructor(readonly path: string, options?: ErrorOptions) {
    super(`No such file: ${path}`, options);
  }
}

/** A file that should not have been there is. */
export class FileExistsError extends Error {
  override readonly name = "FileExistsError";
  constructor(readonly path: string, options?: ErrorOptions) {
    super(`File exists already: ${path}`, options);
  }
}

/** The machine's file system, as far as the process's permissions reach. */
export function systemFiles(): Files {
  const files: Files = {
    readText: (path) => named(path, () => Deno.readTextFile(path)),
    readBytes: (path) => named(path, () => Deno.readFile(path)),
    writeAtomic: (path, data, options = {}) => named(path, () => writeAtomic(path, data, options)),
    makeDirectory: (path, options = {}) => named(path, () => makeDirectory(path, options)),
    async remove(path, options = {}) {
      try {
        await Deno.remove(path, { recursive: options.recursive ?? false });
        return true;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw error;
      }
    },
    rename: (from, to) => named(from, () => Deno.rename(from, to)),
    list: (path) => named(path, () => list(path)),
    exists: async (path) => (await stat(path)) !== undefined,
    stat,
    lock: (path) => named(path, () => lock(path)),
    tryLock: (path) => named(path, () => tryLock(path)),
    watch: (paths, options) => watchByPolling(stat, paths, options),
  };
  return files;
}

async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new FileNotFoundError(path, { cause: error });
    if (error instanceof Deno.errors.AlreadyExists) throw new FileExistsError(path, { cause: error });
    throw error;
  }
}

async function writeAtomic(
  path: string,
  data: string | Uint8Array,
  options: WriteOptions & { createOnly?: boolean },
): Promise<void> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  const mode = options.mode ?? 0o644;
  const file = await Deno.open(temporary, { write: true, createNew: true, mode });
  try {
    try {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    } finally {
      file.close();
    }
    // The mode given to open is cut by the umask.
    await Deno.chmod(temporary, mode);
    if (options.uid !== undefined || options.gid !== undefined) {
      await Deno.chown(temporary, options.uid ?? null, options.gid ?? null);
    }
    if (options.createOnly) {
      // A hard link fails when the name is taken, which a rename does not.
      await Deno.link(temporary, path);
      await Deno.remove(temporary);
    } else {
      await Deno.rename(temporary, path);
    }
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

async function makeDirectory(path: string, options: WriteOptions): Promise<void> {
  if ((await stat(path))?.kind === "directory") return;
  await Deno.mkdir(path, { recursive: true, mode: options.mode ?? 0o755 });
  if (options.uid !== undefined || options.gid !== undefined) {
    await Deno.chown(path, options.uid ?? null, options.gid ?? null);
  }
}

async function list(path: string): Promise<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  for await (const entry of Deno.readDir(path)) {
    const kind = entry.isSymlink ? "link" : entry.isFile ? "file" : entry.isDirectory ? "directory" : "other";
    entries.push({ name: entry.name, kind });
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

async function stat(path: string): Promise<FileStat | undefined> {
  try {
    const info = await Deno.stat(path);
    return {
      kind: info.isFile ? "file" : info.isDirectory ? "directory" : "other",
      size: info.size,
      mode: (info.mode ?? 0) & 0o7777,
      uid: info.uid ?? 0,
      gid: info.gid ?? 0,
      modifiedMs: info.mtime?.getTime() ?? 0,
      inode: info.ino ?? 0,
    };
  } catch (error) {
    // A name inside a file (ENOTDIR) is as absent as one that was never there.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

const openForLock = (path: string) => Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });

async function lock(path: string): Promise<FileLock> {
  const file = await openForLock(path);
  await file.lock(true);
  return { release: () => file.close() };
}

async function tryLock(path: string): Promise<FileLock | undefined> {
  const file = await openForLock(path);
  if (await file.tryLock(true)) return { release: () => file.close() };
  file.close();
  return undefined;
}
