const DEFAULT_REGISTRY = "docker.io";
const MAX_IMAGE_CHARACTERS = 512;

const HOST = /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?$/;
const PATH = /^[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** An image's name with its registry in front, without a scheme (specification 3.2). */
export function normalizeImage(path: string): string {
  const plain = path.replace(/^https?:\/\//, "");
  return hostOf(plain) === undefined ? `${DEFAULT_REGISTRY}/${plain}` : plain;
}

/** The rule that a normalized image name breaks, or undefined. */
export function imageRule(image: string): string | undefined {
  if (image.length > MAX_IMAGE_CHARACTERS) return `must be at most ${MAX_IMAGE_CHARACTERS} characters`;
  const host = hostOf(image);
  if (host === undefined || !HOST.test(host)) return "must begin with a registry's host";
  const [name, digest, ...rest] = image.slice(host.length + 1).split("@");
  if (rest.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return 'must end in "@sha256:…" at most once';
  const colon = name!.indexOf(":");
  const tag = colon < 0 ? undefined : name!.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) return "has a tag that no registry takes";
  const path = colon < 0 ? name! : name!.slice(0, colon);
  return PATH.test(path) ? undefined : "must be a lower-case path of letters, digits and single . _ -";
}

/** The first part of a path is a registry when it looks like a host, as docker decides it. */
function hostOf(path: string): string | undefined {
  const slash = path.indexOf("/");
  const first = slash < 0 ? "" : path.slice(0, slash);
  return /[.:]/.test(first) || first === "localhost" ? first : undefined;
}
