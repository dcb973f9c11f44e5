import { parseModuleSource } from "../../../../shared/manifest/mod.ts";
import { SourceError, type SourceReader } from "./reader.ts";

/** Whether a file is at a URL. Throws {@linkcode SourceError} when it cannot be told. */
export async function isThere(reader: SourceReader, url: string, signal: AbortSignal): Promise<boolean> {
  const { status } = await reader.request(url, { method: "HEAD", signal });
  if (status === 404 || status === 410) return false;
  if (status === 200) return true;
  throw new SourceError(`${new URL(url).host} answers with status ${status}`);
}

/**
 * What is wrong with a module, or undefined. One that is named by a path is a file of the sites' own machines, on which
 * nobody here can look. Throws {@linkcode SourceError} when it cannot be told.
 */
export async function moduleFault(
  reader: SourceReader,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const source = parseModuleSource(path);
  if (source.kind === "file") return undefined;
  return await isThere(reader, source.url, signal) ? undefined : "names a module that is not there";
}
