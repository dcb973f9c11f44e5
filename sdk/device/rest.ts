import { deadline, type SdkClock } from "./clock.ts";
import { errorIn, MatchError, reasonOf } from "./errors.ts";
import { type JsonObject, objectOf } from "./json.ts";

/** The part of `fetch` that the SDK needs. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The REST form of the client API. */
export interface Rest {
  /** One message in, one out. @throws {MatchError} */
  call(method: string, body: JsonObject, signal?: AbortSignal): Promise<JsonObject>;
  /** One message in, the messages of a streamed reply out. @throws {MatchError} */
  lines(method: string, body: JsonObject, signal?: AbortSignal): Promise<JsonObject[]>;
  /** URL of a method. */
  url(method: string): string;
  readonly fetch: Fetch;
}

/** What calls are made with. */
export interface RestOptions {
  /** `https://HOST:PORT` of the matching engine. */
  readonly url: string;
  readonly fetch: Fetch;
  readonly clock: SdkClock;
  /** How long a call may take, ms. */
  readonly timeoutMs: number;
}

/** Makes the caller of a matching engine. */
export function createRest({ url, fetch, clock, timeoutMs }: RestOptions): Rest {
  const base = url.replace(/\/+$/, "");

  async function post(method: string, body: JsonObject, outer?: AbortSignal): Promise<{ ok: boolean; text: string }> {
    const limit = deadline(clock, timeoutMs, outer);
    try {
      // The type of a form that pages may send without asking first: the service does not look at it.
      const response = await fetch(urlOfMethod(method), {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "text/plain;charset=UTF-8", accept: "application/json" },
        signal: limit.signal,
      });
      return { ok: response.ok, text: await response.text() };
    } catch (error) {
      if (limit.expired()) {
        throw new MatchError("DEADLINE_EXCEEDED", `${method}: no answer within ${timeoutMs} ms`, { cause: error });
      }
      if (outer?.aborted) throw new MatchError("CANCELLED", `${method}: given up`, { cause: error });
      throw new MatchError("UNAVAILABLE", `${method}: ${base} is not reached: ${reasonOf(error)}`, { cause: error });
    } finally {
      limit.release();
    }
  }

  const urlOfMethod = (method: string) => `${base}/v1/${method.toLowerCase()}`;

  return {
    fetch,
    url: urlOfMethod,
    async call(method, body, signal) {
      const { ok, text } = await post(method, body, signal);
      const json = parse(method, text);
      if (!ok) throw errorIn(json) ?? notOfTheApi(method, text);
      return json;
    },
    async lines(method, body, signal) {
      const { text } = await post(method, body, signal);
      return text.split("\n").filter((line) => line.trim() !== "").map((line) => {
        const json = parse(method, line);
        if ("result" in json) return objectOf(json.result);
        throw errorIn(objectOf(json.error)) ?? errorIn(json) ?? notOfTheApi(method, line);
      });
    },
  };
}

function parse(method: string, text: string): JsonObject {
  try {
    return objectOf(JSON.parse(text));
  } catch (error) {
    throw notOfTheApi(method, text, error);
  }
}

function notOfTheApi(method: string, text: string, cause?: unknown): MatchError {
  return new MatchError("INTERNAL", `${method}: the answer is not of the client API: ${text.slice(0, 80)}`, { cause });
}
