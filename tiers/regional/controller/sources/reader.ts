import type { SourceHosts } from "./hosts.ts";

/** Something outside that could not be read, with a reason for the user. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** How one request is made. */
export interface SourceRequest {
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the request, its body included. */
  readonly signal: AbortSignal;
  /** Longest body in bytes; a longer one is an error. @default 0 */
  readonly maxBytes?: number;
}

/** What came back. */
export interface SourceAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

const MAX_REDIRECTS = 5;

/** Asks the hosts that are allowed and no others, also when one of them points elsewhere. */
export class SourceReader {
  readonly hosts: SourceHosts;
  readonly #fetch: typeof fetch;

  constructor(hosts: SourceHosts, fetcher: typeof fetch) {
    this.hosts = hosts;
    this.#fetch = fetcher;
  }

  /** Throws {@linkcode SourceError} when the host is not allowed or does not answer; any status is an answer. */
  async request(address: string, request: SourceRequest): Promise<SourceAnswer> {
    let url = parse(address);
    let headers = request.headers ?? {};
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      if (!this.hosts.allows(url)) throw new SourceError(`${url.host} is not among the hosts that this region asks`);
      const response = await this.#send(url, headers, request);
      const target = response.headers.get("location");
      if (response.status < 300 || response.status >= 400 || target === null) {
        return { status: response.status, headers: response.headers, body: await readBody(response, url, request) };
      }
      await response.body?.cancel();
      const next = parse(target, url);
      // Credentials are for the host that asked for them.
      if (next.origin !== url.origin) headers = withoutCredentials(headers);
      url = next;
    }
    throw new SourceError(`${url.host} sends callers from one place to the next`);
  }

  /** Bytes of what a URL names. Throws {@linkcode SourceError}. */
  async read(address: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const { status, body } = await this.request(address, { signal, maxBytes });
    if (status !== 200) throw new SourceError(`${parse(address).host} answers with status ${status}`);
    return body;
  }

  async #send(url: URL, headers: Readonly<Record<string, string>>, request: SourceRequest): Promise<Response> {
    try {
      return await this.#fetch(url, {
        method: request.method ?? "GET",
        headers,
        redirect: "manual",
        signal: request.signal,
      });
    } catch (error) {
      throw unreachable(url, request, error);
    }
  }
}

function parse(address: string, base?: URL): URL {
  const url = URL.parse(address, base?.href);
  if (url === null || url.username !== "" || url.password !== "") throw new SourceError("it is not at a plain URL");
  return url;
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() === "accept"));
}

async function readBody(
  response: Response,
  url: URL,
  { maxBytes = 0, method, ...request }: SourceRequest,
): Promise<Uint8Array> {
  if (method === "HEAD" || maxBytes === 0 || response.body === null) {
    await response.body?.cancel();
    return new Uint8Array(0);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreachable(url, request, error);
  }
  if (size > maxBytes) throw new SourceError(`it is longer than ${maxBytes} bytes`);
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** What is wrong between the region and a host is no business of its users beyond the fact. */
function unreachable(url: URL, { signal }: Pick<SourceRequest, "signal">, cause: unknown): SourceError {
  const why = signal.aborted ? "does not answer in time" : "cannot be reached";
  return new SourceError(`${url.host} ${why}`, { cause });
}
