import { fileURLToPath } from "node:url";
import { isIP } from "node:net";
import { ManifestError } from "./manifest.ts";
import { hostRule } from "./net_target.ts";

/** Where an app's module is. */
export type ModuleSource =
  | { readonly kind: "file"; /** Absolute path. */ readonly path: string; readonly sha256: string | undefined }
  | { readonly kind: "https"; readonly url: string; readonly sha256: string | undefined };

const MAX_SOURCE_CHARACTERS = 2048;
const EXTENSIONS = /\.(?:m?js|m?ts)$/;

/**
 * Reads the image path of a module: an absolute path, a `file:` URL or an `https:` URL, each with an optional
 * `#sha256:<64 hex digits>`. The name must end in .js, .mjs, .ts or .mts, which tells the runtime the language.
 * Throws {@linkcode ManifestError}.
 */
export function parseModuleSource(text: string, path = "image_path"): ModuleSource {
  const refuse = (rule: string) => new ManifestError([{ path, value: text.slice(0, 120), rule }]);
  if (text.length > MAX_SOURCE_CHARACTERS) throw refuse(`may hold at most ${MAX_SOURCE_CHARACTERS} characters`);
  const hash = text.indexOf("#");
  const place = hash < 0 ? text : text.slice(0, hash);
  const sha256 = hash < 0 ? undefined : checksum(text.slice(hash + 1));
  if (sha256 === null) throw refuse('after "#" only "sha256:" and 64 hexadecimal digits are allowed');
  if (place.startsWith("/")) return { kind: "file", path: filePath(place, refuse), sha256 };
  const url = URL.canParse(place) ? new URL(place) : undefined;
  switch (url?.protocol) {
    case "file:":
      if (url.host !== "") throw refuse("a file URL must not name a host");
      return { kind: "file", path: filePath(fileURLToPath(url), refuse), sha256 };
    case "https:": {
      if (url.username !== "" || url.password !== "") throw refuse("the URL must not hold credentials");
      const host = url.hostname.replace(/^\[|\]$/g, "");
      const rule = hostRule(isIP(host) === 6 ? host : url.hostname);
      if (rule) throw refuse(`host: ${rule}`);
      if (!EXTENSIONS.test(url.pathname)) throw refuse("must end in .js, .mjs, .ts or .mts");
      return { kind: "https", url: url.href, sha256 };
    }
    default:
      throw refuse("must be an absolute path, a file: URL or an https: URL of a JavaScript or TypeScript module");
  }
}

function filePath(path: string, refuse: (rule: string) => Error): string {
  if (path.includes("\0")) throw refuse("must not hold a zero byte");
  if (!EXTENSIONS.test(path)) throw refuse("must end in .js, .mjs, .ts or .mts");
  return path;
}

function checksum(text: string): string | null {
  const match = /^sha256:([0-9a-fA-F]{64})$/.exec(text);
  return match ? match[1]!.toLowerCase() : null;
}
