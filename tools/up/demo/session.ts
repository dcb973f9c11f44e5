/** The answer of the master controller was a refusal. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  constructor(readonly path: string, readonly status: number, readonly reason: string) {
    super(`${path}: ${reason} (${status})`);
  }
}

/** A user of the master controller's public REST API. */
export interface Session {
  /** Calls `POST /api/v1/<path>` and returns the last document of the answer. @throws {RefusedError} */
  post(path: string, body: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Calls a show of a region and returns its objects. @throws {RefusedError} */
  list(path: string, body: Record<string, unknown>): Promise<Record<string, unknown>[]>;
  /** The same as `post`, where "already exists" is as good as done: says whether the call did it. */
  ensure(path: string, body: Record<string, unknown>): Promise<boolean>;
}

/** Makes sessions with one master controller. */
export interface Sessions {
  anonymous: Session;
  login(name: string, password: string): Promise<Session>;
  close(): void;
}

/** @param rest Base URL. @param ca PEM of the roots to trust. */
export function openSessions(rest: string, ca: string): Sessions {
  const client = Deno.createHttpClient({ caCerts: [ca] });
  function session(token?: string): Session {
    async function documents(path: string, body: Record<string, unknown>): Promise<Record<string, unknown>[]> {
      const response = await fetch(`${rest}/api/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
        body: JSON.stringify(body),
        client,
      });
      const lines = (await response.text()).split("\n").filter((line) => line.trim() !== "");
      const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      const last = parsed.at(-1) ?? {};
      const result = last.result as { message: string; code: number } | undefined;
      if (result?.code) throw new RefusedError(path, result.code, result.message);
      if (!response.ok) throw new RefusedError(path, response.status, String(last.message ?? lines.at(-1)));
      return parsed;
    }
    async function post(path: string, body: Record<string, unknown>): Promise<Record<string, unknown>> {
      return (await documents(path, body)).at(-1) ?? {};
    }
    return {
      post,
      list: async (path, body) =>
        (await documents(path, body)).map((document) => document.data as Record<string, unknown>),
      async ensure(path, body) {
        try {
          await post(path, body);
          return true;
        } catch (error) {
          if (error instanceof RefusedError && /already exists|already in use/i.test(error.reason)) return false;
          throw error;
        }
      },
    };
  }
  const anonymous = session();
  return {
    anonymous,
    async login(name, password) {
      const { token } = await anonymous.post("login", { username: name, password });
      return session(String(token));
    },
    close: () => client.close(),
  };
}
