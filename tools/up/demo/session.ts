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
  /** The same, where "already exists" is as good as done: says whether the call did it. */
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
    async function post(path: string, body: Record<string, unknown>): Promise<Record<string, unknown>> {
      const response = await fetch(`${rest}/api/v1/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
        body: JSON.stringify(body),
        client,
      });
      const last = (await response.text()).trim().split("\n").at(-1) ?? "";
      const document = (last === "" ? {} : JSON.parse(last)) as Record<string, unknown>;
      const result = document.result as { message: string; code: number } | undefined;
      if (result?.code) throw new RefusedError(path, result.code, result.message);
      if (!response.ok) throw new RefusedError(path, response.status, String(document.message ?? last));
      return document;
    }
    return {
      post,
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
