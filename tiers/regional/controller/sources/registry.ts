import type { SecretStore } from "../../../../shared/secrets/mod.ts";
import { SourceError, type SourceReader } from "./reader.ts";

const DOCKER_HUB = "docker.io";
const DOCKER_HUB_API = "registry-1.docker.io";
const DEFAULT_TAG = "latest";
const MAX_TOKEN_BYTES = 64 * 1024;

/** Manifests of one machine type or of several, in the forms that registries have. */
const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Reads secrets by path. */
export type SecretReader = Pick<SecretStore, "get">;

/** An image's name in parts. */
export interface ImageName {
  readonly host: string;
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
}

/** The parts of an image's name with its registry in front. */
export function parseImage(image: string): ImageName {
  const slash = image.indexOf("/");
  const host = image.slice(0, slash);
  const [name, digest] = image.slice(slash + 1).split("@");
  const [path, tag] = name!.split(":");
  // What has no owner on Docker's registry is kept with its own.
  const repository = host === DOCKER_HUB && !path!.includes("/") ? `library/${path}` : path!;
  return { host, repository, reference: digest ?? tag ?? DEFAULT_TAG };
}

/** Path of the credentials for a registry, for all regions alike; a port's colon has no place in a path. */
export function registrySecretPath(host: string): string {
  return `registry/${host.replaceAll(":", "_")}`;
}

/**
 * Whether a registry has an image. Throws {@linkcode SourceError} when it cannot be told: the registry is not among the
 * hosts, does not answer, or refuses the credentials kept for it.
 */
export async function imageExists(
  reader: SourceReader,
  secrets: SecretReader | undefined,
  image: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { host, repository, reference } = parseImage(image);
  return await isKnown(reader, secrets, host, `${repository}/manifests/${reference}`, "HEAD", signal);
}

/** Whether a registry has anything under a name, whatever its version. Throws as {@linkcode imageExists}. */
export async function repositoryExists(
  reader: SourceReader,
  secrets: SecretReader | undefined,
  host: string,
  repository: string,
  signal: AbortSignal,
): Promise<boolean> {
  return await isKnown(reader, secrets, host, `${repository}/tags/list`, "GET", signal);
}

/** Whether a registry knows a path of its API. */
async function isKnown(
  reader: SourceReader,
  secrets: SecretReader | undefined,
  host: string,
  path: string,
  method: "GET" | "HEAD",
  signal: AbortSignal,
): Promise<boolean> {
  const origin = reader.hosts.originOf(host === DOCKER_HUB ? DOCKER_HUB_API : host);
  if (origin === undefined) throw new SourceError(`${host} is not among the hosts that this region asks`);
  const accept: Record<string, string> = method === "HEAD" ? { accept: ACCEPT } : {};
  const ask = (headers: Record<string, string>) =>
    reader.request(`${origin}/v2/${path}`, { method, headers: { ...accept, ...headers }, signal });
  let answer = await ask({});
  if (answer.status === 401) {
    const credentials = await readCredentials(secrets, host);
    answer = await ask(await authorization(reader, answer.headers.get("www-authenticate") ?? "", credentials, signal));
  }
  switch (answer.status) {
    case 200:
      return true;
    case 404:
      return false;
    case 401:
    case 403:
      throw new SourceError(`${host} does not let this region see it`);
    default:
      throw new SourceError(`${host} answers with status ${answer.status}`);
  }
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
  readonly apikey?: string;
}

/** None are kept for public registries. */
async function readCredentials(secrets: SecretReader | undefined, host: string): Promise<Credentials> {
  try {
    return ((await secrets?.get(registrySecretPath(host)))?.data ?? {}) as Credentials;
  } catch (error) {
    throw new SourceError(`the credentials for ${host} cannot be read`, { cause: error });
  }
}

/** The headers that a registry's challenge asks for. */
async function authorization(
  reader: SourceReader,
  challenge: string,
  { username, password, token, apikey }: Credentials,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  if (apikey !== undefined) return { "x-jfrog-art-api": apikey };
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  const basic: Record<string, string> = username === undefined
    ? {}
    : { authorization: `Basic ${new TextEncoder().encode(`${username}:${password ?? ""}`).toBase64()}` };
  if (!/^bearer /i.test(challenge)) return basic;
  const facts = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  const realm = URL.parse(facts["realm"] ?? "");
  if (realm === null) throw new SourceError("its registry does not say where to ask for access");
  for (const name of ["service", "scope"]) if (facts[name] !== undefined) realm.searchParams.set(name, facts[name]);
  const { status, body } = await reader.request(realm.href, { headers: basic, signal, maxBytes: MAX_TOKEN_BYTES });
  if (status !== 200) throw new SourceError(`${realm.host} does not let this region in`);
  return { authorization: `Bearer ${tokenOf(body)}` };
}

function tokenOf(body: Uint8Array): string {
  try {
    const reply = JSON.parse(new TextDecoder().decode(body)) as { token?: string; access_token?: string };
    const token = reply.token ?? reply.access_token;
    if (typeof token === "string") return token;
  } catch {
    // Falls through to the error.
  }
  throw new SourceError("its registry gives no access");
}
