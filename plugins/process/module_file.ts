import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import type { Files } from "../../shared/runtime/mod.ts";
import { hostRule, type ModuleSource } from "../../shared/manifest/mod.ts";
import { type OperationContext, PlatformError } from "../../shared/platform/mod.ts";
import { isBelow } from "./process_table.ts";

/** Largest module; a bundled program with all its libraries has a few megabytes. */
export const MAX_MODULE_BYTES = 32 * 1024 * 1024;
const MAX_REDIRECTS = 5;

/** What the module is taken with. */
export interface ModuleAccess {
  readonly files: Files;
  readonly fetch: typeof fetch;
  /** Folders from which local modules may be taken; empty: anywhere. */
  readonly roots: readonly string[];
}

/**
 * Reads a module and checks its checksum. Returns its bytes and the file name to store it under.
 * Throws {@linkcode PlatformError}: NotFound when there is none, Invalid when it may not be used.
 */
export async function loadModule(
  source: ModuleSource,
  access: ModuleAccess,
  operation: OperationContext,
): Promise<{ bytes: Uint8Array; fileName: string }> {
  const bytes = source.kind === "file"
    ? await readLocal(source.path, access)
    : await download(source.url, access, operation);
  if (source.sha256 !== undefined) {
    const sum = createHash("sha256").update(bytes).digest("hex");
    if (sum !== source.sha256) {
      throw new PlatformError("Invalid", `Module ${placeOf(source)} has sha256 ${sum}, expected ${source.sha256}`);
    }
  }
  const extension = /\.(m?[jt]s)$/.exec(source.kind === "file" ? source.path : new URL(source.url).pathname)![1];
  return { bytes, fileName: `module.${extension}` };
}

function placeOf(source: ModuleSource): string {
  return source.kind === "file" ? source.path : source.url;
}

async function readLocal(path: string, { files, roots }: ModuleAccess): Promise<Uint8Array> {
  let real: string;
  let allowed = roots;
  try {
    real = await realpath(path);
    allowed = await Promise.all(roots.map((root) => realpath(root)));
  } catch (error) {
    throw unreadable(path, error);
  }
  if (allowed.length > 0 && !allowed.some((root) => isBelow(real, root))) {
    throw new PlatformError("Invalid", `Module ${path} is outside of the folders that this site takes modules from`);
  }
  try {
    const stat = await files.stat(real);
    if (stat?.kind !== "file") throw new PlatformError("NotFound", `Module ${path} is not a file`);
    if (stat.size > MAX_MODULE_BYTES) throw tooLarge(path);
    return await files.readBytes(real);
  } catch (error) {
    throw error instanceof PlatformError ? error : unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): PlatformError {
  const missing = error instanceof Error &&
    (/ENOENT|No such file/i.test(error.message) || error.name.includes("NotFound"));
  const why = missing ? "does not exist on this site" : "cannot be read by this site's resource manager";
  return new PlatformError("NotFound", `Module ${path} ${why}`, { cause: error });
}

function tooLarge(place: string): PlatformError {
  return new PlatformError("Invalid", `Module ${place} is larger than ${MAX_MODULE_BYTES} bytes`);
}

/** Follows redirects itself, so that none leads to the site's own machine or away from https. */
async function download(first: string, { fetch }: ModuleAccess, operation: OperationContext): Promise<Uint8Array> {
  let url = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    let response: Response;
    try {
      response = await fetch(url, { redirect: "manual", signal: operation.signal });
    } catch (error) {
      operation.signal.throwIfAborted();
      throw new PlatformError("Transient", `Module ${url} cannot be fetched: ${messageOf(error)}`, { cause: error });
    }
    const location = response.headers.get("location");
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      url = checkedRedirect(url, location);
      continue;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new PlatformError("NotFound", `Module ${url} cannot be fetched: HTTP status ${response.status}`);
    }
    return await bounded(response, url);
  }
  throw new PlatformError("Invalid", `Module ${first} redirects more than ${MAX_REDIRECTS} times`);
}

function checkedRedirect(from: string, location: string): string {
  const target = URL.canParse(location, from) ? new URL(location, from) : undefined;
  const rule = target === undefined ? "is not a URL" : hostRule(target.hostname.replace(/^\[|\]$/g, ""));
  if (target?.protocol !== "https:" || rule) {
    throw new PlatformError(
      "Invalid",
      `Module ${from} redirects to a place that is not allowed${rule ? `: ${rule}` : ""}`,
    );
  }
  return target.href;
}

async function bounded(response: Response, url: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > MAX_MODULE_BYTES) throw tooLarge(url);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    throw new PlatformError("Transient", `Module ${url} broke off: ${messageOf(error)}`, { cause: error });
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split("\n")[0]!.slice(0, 200) : String(error);
}
