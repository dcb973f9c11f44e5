import { dirname } from "node:path";
import { type Clock, FileExistsError, FileNotFoundError, type Files } from "../runtime/mod.ts";
import type { SecretsDeps } from "./open.ts";
import { createSealer, KEK_BYTES, type Sealer } from "./seal.ts";
import {
  checkPath,
  type GetOptions,
  keptVersions,
  type PutOptions,
  type Secret,
  SecretConflictError,
  type SecretData,
  SecretsError,
  type SecretStore,
  type SecretVersion,
  type WatchSecretOptions,
} from "./secret_store.ts";

/** The key-encryption key in base64, in place of its file. */
const KEK_VARIABLE = "ARCHIPELAGO_SECRETS_KEK";
const DEFAULT_WATCH_INTERVAL_MS = 5_000;

/** What a secret's file holds when opened. A deleted secret keeps its last number, so that numbers never repeat. */
interface Content {
  readonly last: number;
  /** Newest first. */
  readonly versions: readonly { readonly version: number; readonly createdAtMs: number; readonly data: SecretData }[];
}

/**
 * Opens a folder of sealed files, one for each path. Several processes may share it. A process that is granted only
 * some of the files sees only those.
 */
export async function openFileSecrets(url: string, deps: SecretsDeps): Promise<SecretStore> {
  const { root, kekFile } = fileStoreLocation(url);
  const kek = await loadKek(root, kekFile, deps);
  return new FileStore(root, deps.files, deps.clock, await createSealer(kek, deps.random));
}

/** The folder of a `file:` store and the file of its key, such as for permission lists. */
export function fileStoreLocation(url: string): { root: string; kekFile: string } {
  const [path, query] = url.slice("file:".length).replace(/^\/\/(?=\/)/, "").split("?", 2) as [string, string?];
  if (path === "") throw new SecretsError("Secret store file: needs a path, as in file:/var/lib/archipelago/secrets");
  const parameters = new URLSearchParams(query ?? "");
  for (const name of parameters.keys()) {
    if (name !== "kek") throw new SecretsError(`Secret store file: does not know the parameter ${name}; only kek`);
  }
  const root = path.replace(/(?<=.)\/+$/, "");
  return { root, kekFile: parameters.get("kek") ?? `${root}.kek` };
}

async function loadKek(
  root: string,
  kekFile: string,
  { files, random, environment }: SecretsDeps,
): Promise<Uint8Array<ArrayBuffer>> {
  const given = environment.get(KEK_VARIABLE);
  if (given !== undefined) return decodeKek(given, KEK_VARIABLE);
  const read = async () => decodeKek((await files.readText(kekFile)).trim(), kekFile);
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FileNotFoundError)) throw error;
  }
  const filled = await files.exists(root) && (await files.list(root)).length > 0;
  if (filled) {
    throw new SecretsError(`Key-encryption key ${kekFile} is missing, and ${root} cannot be opened without it`);
  }
  try {
    await files.makeDirectory(dirname(kekFile));
    await files.writeAtomic(kekFile, `${random.bytes(KEK_BYTES).toBase64()}\n`, { mode: 0o600, createOnly: true });
  } catch (error) {
    // Another process was quicker: its key counts.
    if (!(error instanceof FileExistsError)) throw error;
  }
  return await read();
}

function decodeKek(text: string, origin: string): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  try {
    bytes = Uint8Array.fromBase64(text);
  } catch {
    // Said below, without the text.
  }
  if (bytes?.length !== KEK_BYTES) {
    throw new SecretsError(`Key-encryption key in ${origin} must be ${KEK_BYTES} bytes in base64`);
  }
  return bytes;
}

class FileStore implements SecretStore {
  readonly #root: string;
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #sealer: Sealer;
  readonly #closed = new AbortController();

  constructor(root: string, files: Files, clock: Clock, sealer: Sealer) {
    this.#root = root;
    this.#files = files;
    this.#clock = clock;
    this.#sealer = sealer;
  }

  async get(path: string, options: GetOptions = {}): Promise<Secret | undefined> {
    const { versions } = await this.#read(path);
    const found = options.version === undefined
      ? versions[0]
      : versions.find(({ version }) => version === options.version);
    return found && { path, ...found };
  }

  put(path: string, data: SecretData, options: PutOptions = {}): Promise<number> {
    return this.#change(path, ({ last, versions }) => {
      const newest = versions[0]?.version ?? 0;
      if (options.cas !== undefined && options.cas !== newest) throw new SecretConflictError(path, options.cas, newest);
      const version = last + 1;
      const added = { version, createdAtMs: this.#clock.now(), data };
      return [{ last: version, versions: [added, ...versions].slice(0, keptVersions(path)) }, version];
    });
  }

  async versions(path: string): Promise<SecretVersion[]> {
    const { versions } = await this.#read(path);
    return versions.map(({ version, createdAtMs }) => ({ version, createdAtMs }));
  }

  delete(path: string): Promise<boolean> {
    return this.#change(path, ({ last, versions }) => [{ last, versions: [] }, versions.length > 0]);
  }

  async *watch(path: string, options: WatchSecretOptions): AsyncGenerator<Secret | undefined> {
    const signal = AbortSignal.any([options.signal, this.#closed.signal]);
    let seen: number | undefined;
    while (!signal.aborted) {
      const secret = await this.get(path);
      if (seen !== (secret?.version ?? 0)) {
        seen = secret?.version ?? 0;
        yield secret;
      }
      await this.#clock.sleep(options.intervalMs ?? DEFAULT_WATCH_INTERVAL_MS, signal).catch(() => {});
    }
  }

  close(): void {
    this.#closed.abort();
  }

  #fileOf(path: string): string {
    checkPath(path);
    return `${this.#root}/${path}.sealed`;
  }

  async #read(path: string): Promise<Content> {
    const file = this.#fileOf(path);
    let sealed: string;
    try {
      sealed = await this.#files.readText(file);
    } catch (error) {
      if (error instanceof FileNotFoundError) return { last: 0, versions: [] };
      throw new SecretsError(`Secret ${path} cannot be read`, { cause: error });
    }
    return JSON.parse(await this.#sealer.open(path, sealed)) as Content;
  }

  async #change<T>(path: string, change: (content: Content) => [Content, T]): Promise<T> {
    const file = this.#fileOf(path);
    await this.#files.makeDirectory(dirname(file), { mode: 0o700 });
    const lock = await this.#files.lock(`${file}.lock`);
    try {
      const before = await this.#read(path);
      const [after, result] = change(before);
      const same = after.last === before.last && after.versions.length === before.versions.length;
      if (!same) {
        await this.#files.writeAtomic(file, await this.#sealer.seal(path, JSON.stringify(after)), { mode: 0o600 });
      }
      return result;
    } finally {
      lock.release();
    }
  }
}
