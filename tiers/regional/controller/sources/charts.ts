import { isThere } from "./files.ts";
import { SourceError, type SourceReader } from "./reader.ts";
import { imageExists, repositoryExists, type SecretReader } from "./registry.ts";

/** The indexes of the large public repositories have some megabytes. */
const MAX_INDEX_BYTES = 16 * 1024 * 1024;

/** Where a chart is (services specification 4.1, Helm). */
export type ChartPlace =
  /** A repository that sites know by its name. */
  | { readonly kind: "known" }
  /** `https://host/path:repository/chart` */
  | { readonly kind: "repository"; readonly url: string; readonly chart: string }
  /** `https://host/path/chart-1.0.tgz` */
  | { readonly kind: "archive"; readonly url: string }
  /** `oci://host/path/chart`, or without the scheme when the first part is a host; a tag is the version. */
  | { readonly kind: "registry"; readonly host: string; readonly path: string; readonly isTagged: boolean };

/** Where the image path of a helm app leads. */
export function chartPlace(path: string): ChartPlace {
  const [, url, chart] = /^(https?:\/\/.+):[^/:]+\/([^/]+)$/.exec(path) ?? [];
  if (url !== undefined) return { kind: "repository", url: url.replace(/\/+$/, ""), chart: chart! };
  if (/^https?:/.test(path)) return { kind: "archive", url: path };
  const [, host, rest] = /^(?:oci:\/\/)?([^/]+)\/(.+)$/.exec(path) ?? [];
  const isHost = path.startsWith("oci://") || /[.:]|^localhost$/.test(host ?? "");
  if (host === undefined || !isHost) return { kind: "known" };
  return { kind: "registry", host, path: rest!, isTagged: /[:@]/.test(rest!) };
}

/** What is wrong with a chart, or undefined. Throws {@linkcode SourceError} when it cannot be told. */
export async function chartFault(
  reader: SourceReader,
  secrets: SecretReader | undefined,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const place = chartPlace(path);
  switch (place.kind) {
    case "known":
      return undefined;
    case "archive":
      return await isThere(reader, place.url, signal) ? undefined : "names a chart that is not there";
    case "registry": {
      const { host, path: name, isTagged } = place;
      const exists = isTagged
        ? await imageExists(reader, secrets, `${host}/${name}`, signal)
        : await repositoryExists(reader, secrets, host, name, signal);
      return exists ? undefined : "names a chart that its registry does not have";
    }
    case "repository":
      if (await repositoryHas(reader, place.url, place.chart, signal)) return undefined;
      return `names chart ${place.chart}, which its repository does not have`;
  }
}

async function repositoryHas(
  reader: SourceReader,
  url: string,
  chart: string,
  signal: AbortSignal,
): Promise<boolean> {
  const bytes = await reader.read(`${url}/index.yaml`, MAX_INDEX_BYTES, signal);
  const found = indexHas(new TextDecoder().decode(bytes), chart);
  if (found === undefined) throw new SourceError(`${new URL(url).host} has no index of charts there`);
  return found;
}

/**
 * Whether an index as helm writes it has a chart; undefined when it is none. The text is searched, not parsed: an index is
 * long, and only the keys of one mapping are wanted.
 */
export function indexHas(index: string, chart: string): boolean | undefined {
  if (index.trimStart().startsWith("{")) return jsonHas(index, chart);
  const start = index.search(/^["']?entries["']?:/m);
  if (start < 0) return undefined;
  const rest = index.slice(index.indexOf("\n", start));
  const end = rest.search(/^[^\s#-]/m);
  const section = end < 0 ? rest : rest.slice(0, end);
  const indent = /\n( +)[^\s#-]/.exec(section)?.[1] ?? "";
  return ["", '"', "'"].some((quote) => section.includes(`\n${indent}${quote}${chart}${quote}:`));
}

function jsonHas(index: string, chart: string): boolean | undefined {
  try {
    const { entries } = JSON.parse(index) as { entries?: unknown };
    return typeof entries === "object" && entries !== null ? Object.hasOwn(entries, chart) : undefined;
  } catch {
    return undefined;
  }
}
