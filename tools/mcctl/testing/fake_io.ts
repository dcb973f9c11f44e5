import type { Io, Reply } from "../io.ts";

/** A request that was made. */
export interface Posted {
  url: string;
  body: unknown;
  token?: string;
  ca?: string;
}

/** An outside world of a test. */
export interface FakeIo extends Io {
  readonly posted: Posted[];
  readonly files: Map<string, string>;
  /** What was printed. */
  output(): string;
  errors(): string;
}

/** What the fake master controller answers. */
export interface FakeReply {
  status?: number;
  /** Text of the body; lists of chunks arrive one by one. */
  body?: string | readonly string[];
  /** Fails like a network. */
  failure?: string;
}

/** Makes an outside world in which every call is answered by `reply`. */
export function fakeIo(
  options: {
    reply?: FakeReply | ((posted: Posted) => FakeReply);
    files?: Record<string, string>;
    environment?: Record<string, string>;
    secrets?: string[];
    isTerminal?: boolean;
  } = {},
): FakeIo {
  const files = new Map(Object.entries(options.files ?? {}));
  const secrets = [...options.secrets ?? []];
  const posted: Posted[] = [];
  let out = "";
  let errors = "";
  return {
    posted,
    files,
    output: () => out,
    errors: () => errors,
    out: (text) => void (out += text),
    error: (text) => void (errors += text),
    isTerminal: options.isTerminal ?? false,
    environment: (name) => ({ HOME: "/home/me", ...options.environment })[name],
    readSecret: () => Promise.resolve(secrets.shift() ?? ""),
    readFile: (path) => Promise.resolve(files.get(path)),
    writePrivateFile: (path, text) => Promise.resolve(void files.set(path, text)),
    post(url, body, headers, trust): Promise<Reply> {
      const call: Posted = { url, body: JSON.parse(body) };
      if (headers["authorization"] !== undefined) call.token = headers["authorization"].replace("Bearer ", "");
      if (trust.ca !== undefined) call.ca = trust.ca;
      posted.push(call);
      const reply = typeof options.reply === "function" ? options.reply(call) : options.reply ?? {};
      if (reply.failure !== undefined) return Promise.reject(new Error(reply.failure));
      return Promise.resolve({ status: reply.status ?? 200, statusText: "", body: chunks(reply.body ?? "") });
    },
  };
}

async function* chunks(body: string | readonly string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of typeof body === "string" ? [body] : body) {
    await Promise.resolve();
    yield new TextEncoder().encode(chunk);
  }
}
