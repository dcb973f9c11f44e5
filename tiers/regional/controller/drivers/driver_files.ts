import type { Clock, Files, RandomSource } from "../../../../shared/runtime/mod.ts";
import { SourceError, type SourceReader } from "../sources/reader.ts";

/** Longest file of a driver, in bytes: it is held in memory while it is checked. */
export const MAX_DRIVER_BYTES = 512 * 1024 * 1024;

/** Fetches a file from outside. @param credentials `user:password`, or empty */
export type FetchFile = (
  url: string,
  options: { credentials: string; maxBytes: number; signal: AbortSignal },
) => Promise<Uint8Array<ArrayBuffer>>;

/** Files of drivers: from where they come, and where the region keeps them. */
export interface DriverFiles {
  readonly fetch: FetchFile;
  /** Keeps a file. @param path parts of letters, digits, `-`, `_` and `.`, divided by `/` */
  put(path: string, data: Uint8Array): Promise<void>;
  /** Forgets a file, or all files below a path. */
  remove(path: string): Promise<void>;
  /** A URL from which a kept file can be fetched for a while, by whoever has it. */
  url(path: string, validityMs: number): Promise<string>;
}

/** What {@linkcode folderFiles} works with. */
export interface FolderFilesOptions {
  readonly folder: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly fetch: FetchFile;
  /** URL at which `serve` answers. */
  baseUrl(): string;
}

const KEY_BYTES = 32;

/** Keeps files in a folder, and hands them out to whoever has a URL signed by this run of the program. */
export async function folderFiles(
  options: FolderFilesOptions,
): Promise<{ driverFiles: DriverFiles; serve(request: Request): Promise<Response> }> {
  const { folder, files, clock, random } = options;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", random.bytes(KEY_BYTES), algorithm, false, ["sign", "verify"]);
  const signed = (path: string, until: string) => new TextEncoder().encode(`${until} ${path}`);

  return {
    driverFiles: {
      fetch: options.fetch,
      async put(path, data) {
        const file = fileOf(folder, path);
        await files.makeDirectory(file.slice(0, file.lastIndexOf("/")));
        await files.writeAtomic(file, data);
      },
      async remove(path) {
        await files.remove(fileOf(folder, path), { recursive: true });
      },
      async url(path, validityMs) {
        const until = String(clock.now() + validityMs);
        const signature = new Uint8Array(await crypto.subtle.sign(algorithm, key, signed(path, until)));
        const query = new URLSearchParams({ path, until, signature: signature.toBase64({ alphabet: "base64url" }) });
        return `${options.baseUrl()}?${query}`;
      },
    },
    async serve(request) {
      const query = new URL(request.url).searchParams;
      const [path, until, signature] = ["path", "until", "signature"].map((name) => query.get(name) ?? "");
      if (!await isSigned(key, signature!, signed(path!, until!)) || !(Number(until) > clock.now())) {
        return new Response("This URL is not good, or not any more\n", { status: 403 });
      }
      const file = fileOf(folder, path!);
      if (!await files.exists(file)) return new Response("There is no such file any more\n", { status: 404 });
      return new Response(await files.readBytes(file), { headers: { "content-type": "application/octet-stream" } });
    },
  };
}

async function isSigned(key: CryptoKey, signature: string, data: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    const bytes = Uint8Array.fromBase64(signature, { alphabet: "base64url" });
    return await crypto.subtle.verify("HMAC", key, bytes, data);
  } catch {
    return false;
  }
}

/** Names come from users, so no path may lead out of the folder. */
function fileOf(folder: string, path: string): string {
  if (!path.split("/").every((part) => /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(part))) {
    throw new TypeError("Expected a path of plain names");
  }
  return `${folder}/${path}`;
}

/** Fetches from the hosts that may be asked. */
export function fetchFrom(reader: SourceReader): FetchFile {
  return async (url, { credentials, maxBytes, signal }) => {
    const headers: Record<string, string> = credentials === ""
      ? {}
      : { authorization: `Basic ${new TextEncoder().encode(credentials).toBase64()}` };
    const { status, body } = await reader.request(url, { headers, maxBytes, signal });
    if (status !== 200) throw new SourceError(`${new URL(url).host} answers with status ${status}`);
    return body as Uint8Array<ArrayBuffer>;
  };
}
