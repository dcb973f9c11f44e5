import { isThere } from "./files.ts";
import { SourceError, type SourceReader } from "./reader.ts";

const MAX_OVF_BYTES = 1024 * 1024;
/** Highest version of virtual hardware that the infrastructures take. */
const MAX_HARDWARE_VERSION = 14;
/** Most files that an OVF may refer to. */
const MAX_FILES = 20;

/** What is wrong with a machine's image, or undefined. Throws {@linkcode SourceError} when it cannot be told. */
export async function qcowFault(reader: SourceReader, path: string, signal: AbortSignal): Promise<string | undefined> {
  return await isThere(reader, path.split("#")[0]!, signal) ? undefined : "names an image that is not there";
}

/** The same for an OVF: its hardware must not be too new, and its files must be there (specification 3.2). */
export async function ovfFault(reader: SourceReader, path: string, signal: AbortSignal): Promise<string | undefined> {
  const url = path.split("#")[0]!;
  const { status, body } = await reader.request(url, { signal, maxBytes: MAX_OVF_BYTES });
  if (status === 404) return "names an OVF that is not there";
  if (status !== 200) throw new SourceError(`${new URL(url).host} answers with status ${status}`);
  const xml = new TextDecoder().decode(body);
  if (!/<(?:\w+:)?Envelope\b/.test(xml)) return "names a file that is no OVF";
  for (const [, version] of xml.matchAll(/VirtualSystemType>[^<]*?vmx-(\d+)/g)) {
    if (Number(version) > MAX_HARDWARE_VERSION) {
      return `names an OVF with hardware vmx-${version}, at most vmx-${MAX_HARDWARE_VERSION} is possible`;
    }
  }
  const files = [...xml.matchAll(/<(?:\w+:)?File\b[^>]*?\bhref="([^"]+)"/g)].map(([, name]) => name!);
  if (files.length > MAX_FILES) return `names an OVF of ${files.length} files, at most ${MAX_FILES} are possible`;
  for (const file of files) {
    if (!await isThere(reader, new URL(file, url).href, signal)) return `names an OVF whose file ${file} is not there`;
  }
  return undefined;
}
