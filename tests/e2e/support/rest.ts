import type { UpInfo } from "./platform.ts";

/** An answer of the master controller. */
export interface RestAnswer {
  status: number;
  /** Whole body as text. */
  text: string;
  /** Body as JSON documents: one for plain answers, one a line for streams. */
  documents: unknown[];
}

/** A user of the master controller's public REST API. */
export interface RestUser {
  /** Calls `POST /api/v1/<path>`. */
  call(path: string, body?: unknown): Promise<RestAnswer>;
  /** Calls a region's API and returns what `data` holds, document by document; throws on any error. */
  ctrl(rpc: string, body: Record<string, unknown>): Promise<Record<string, unknown>[]>;
  /** Frees the connections. */
  close(): void;
}

/** Talks to the platform without logging in, or as the user of that token. */
export function restUser(info: UpInfo, token?: string): RestUser {
  const client = Deno.createHttpClient({ caCerts: [Deno.readTextFileSync(info.ca)] });
  async function call(path: string, body: unknown = {}): Promise<RestAnswer> {
    const response = await fetch(`${info.masterController.rest}/api/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(body),
      client,
    });
    const text = await response.text();
    return { status: response.status, text, documents: parse(text) };
  }
  return {
    call,
    async ctrl(rpc, body) {
      const answer = await call(`auth/ctrl/${rpc}`, { region: "local", ...body });
      if (answer.status !== 200) throw new Error(`${rpc}: ${answer.status} ${answer.text}`);
      return answer.documents.map((document) => {
        const { data, result } = document as {
          data?: Record<string, unknown>;
          result?: { message: string; code: number };
        };
        if (result && result.code) throw new Error(`${rpc}: ${result.message}`);
        return data ?? document as Record<string, unknown>;
      });
    },
    close: () => client.close(),
  };
}

function parse(text: string): unknown[] {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  try {
    return [JSON.parse(trimmed)];
  } catch {
    return trimmed.split("\n").filter((line) => line.trim() !== "").map((line) => {
      try {
        return JSON.parse(line);
      } catch {
        return line;
      }
    });
  }
}

/** Logs in by the public API. */
export async function login(info: UpInfo, name: string, password: string): Promise<RestUser> {
  const anonymous = restUser(info);
  try {
    const answer = await anonymous.call("login", { username: name, password });
    if (answer.status !== 200) throw new Error(`login as ${name}: ${answer.status} ${answer.text}`);
    return restUser(info, (answer.documents[0] as { token: string }).token);
  } finally {
    anonymous.close();
  }
}

/** Logs in as the administrator whose password `up` generated. */
export function loginAsAdmin(info: UpInfo): Promise<RestUser> {
  return login(info, info.admin.name, Deno.readTextFileSync(info.admin.passwordFile).trim());
}
