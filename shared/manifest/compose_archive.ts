import { readYaml } from "./env_list.ts";
import { readZip, unpackText, type ZipEntry, ZipError } from "./zip.ts";

/** File of an archive that names its compose files, in the order in which they are applied. */
const LIST_FILE = "manifest.yml";
const LIST_KEY = "dockercomposefiles";
/** Longest file in bytes. */
const MAX_FILE_BYTES = 256 * 1024;
/** Most compose files. */
const MAX_FILES = 50;

/** What is wrong with an archive of compose files (controller specification 3.3); undefined when nothing is. */
export async function readComposeArchive(bytes: Uint8Array): Promise<string | undefined> {
  try {
    const entries = new Map(readZip(bytes).map((entry) => [entry.name, entry]));
    return await archiveRule(entries);
  } catch (error) {
    if (error instanceof ZipError) return `must be an archive of compose files: ${error.message}`;
    throw error;
  }
}

async function archiveRule(entries: ReadonlyMap<string, ZipEntry>): Promise<string | undefined> {
  const list = entries.get(LIST_FILE);
  if (list === undefined) return `must hold the file ${LIST_FILE}`;
  const { value, rule } = readYaml(await unpackText(list, MAX_FILE_BYTES));
  if (rule !== undefined) return `${LIST_FILE} ${rule}`;
  const found = Object.entries(value ?? {}).find(([key]) => key.toLowerCase().replaceAll("_", "") === LIST_KEY)?.[1];
  const names: unknown[] = Array.isArray(found) ? found : [];
  if (names.length === 0 || names.length > MAX_FILES || !names.every((name) => typeof name === "string")) {
    return `${LIST_FILE} must name 1 to ${MAX_FILES} compose files in a list ${LIST_KEY}`;
  }
  for (const name of names as string[]) {
    const entry = entries.get(name);
    if (entry === undefined) return `${LIST_FILE} names ${name}, which the archive does not hold`;
    const text = await unpackText(entry, MAX_FILE_BYTES);
    const fault = readYaml(text).rule;
    // Anchors are common in compose files, so only what is no YAML at all is refused.
    if (fault?.startsWith("is not valid")) return `${name} ${fault}`;
  }
  return undefined;
}
