import { StoreError } from "./errors.ts";

/** A store's URL, taken apart. */
export type StoreUrl = { driver: "sqlite"; path: string } | { driver: "etcd"; endpoints: string[] };

const FORMS = "sqlite:PATH, sqlite::memory: or etcd:https://HOST:PORT[,https://HOST:PORT…]";
const ETCD_DEFAULT_PORT = "2379";

/** Reads `sqlite:PATH`, `sqlite::memory:` or `etcd:http(s)://h1:2379,…`; throws a StoreError `url`. */
export function parseStoreUrl(url: string): StoreUrl {
  if (url.startsWith("sqlite:")) {
    const path = url.slice("sqlite:".length);
    if (path === "") throw new StoreError("url", "Store URL sqlite: names no file: expected sqlite:PATH");
    return { driver: "sqlite", path };
  }
  if (url.startsWith("etcd:")) {
    const endpoints = url.slice("etcd:".length).split(",").map(parseEndpoint);
    if (new Set(endpoints.map((endpoint) => endpoint.split(":")[0])).size > 1) {
      throw new StoreError("url", "Store URL etcd: mixes http and https endpoints: expected one of them for all");
    }
    return { driver: "etcd", endpoints };
  }
  throw new StoreError("url", `Store URL must be ${FORMS}, given ${JSON.stringify(url)}`);
}

function parseEndpoint(text: string): string {
  const endpoint = URL.canParse(text) ? new URL(text) : undefined;
  if (endpoint?.username || endpoint?.password) {
    // Not repeated in the message: it holds a password.
    throw new StoreError("url", "Store URL etcd: must not hold a user or password: use client certificates");
  }
  const plain = endpoint && (endpoint.pathname === "/" || endpoint.pathname === "") && !endpoint.search &&
    !endpoint.hash && !text.endsWith("?") && !text.endsWith("#");
  if (!plain || (endpoint.protocol !== "http:" && endpoint.protocol !== "https:") || endpoint.hostname === "") {
    throw new StoreError(
      "url",
      `Store URL etcd: expects endpoints http(s)://HOST:PORT separated by commas, given ${JSON.stringify(text)}`,
    );
  }
  return `${endpoint.protocol}//${endpoint.hostname}:${endpoint.port || defaultPort(text, endpoint)}`;
}

/** `URL` hides a port that is the scheme's own, so http://h:80 must not become 2379. */
function defaultPort(text: string, endpoint: URL): string {
  const schemePort = endpoint.protocol === "https:" ? "443" : "80";
  return text.replace(/\/$/, "").endsWith(`:${schemePort}`) ? schemePort : ETCD_DEFAULT_PORT;
}
