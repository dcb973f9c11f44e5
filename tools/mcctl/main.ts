import https from "node:https";
import { UsageError } from "./failure.ts";
import type { Io, Reply, Trust } from "./io.ts";
import { run } from "./run.ts";

const encoder = new TextEncoder();

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch (error) {
    // The reader, such as `head`, has seen enough.
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
    throw error;
  }
}

/** Reads a line from the terminal without showing it, or plainly from what is piped in. */
async function readSecret(prompt: string): Promise<string> {
  const terminal = Deno.stdin.isTerminal();
  if (terminal) {
    write(Deno.stderr, prompt);
    Deno.stdin.setRaw(true);
  }
  const bytes: number[] = [];
  const buffer = new Uint8Array(1);
  try {
    while (true) {
      const count = await Deno.stdin.read(buffer);
      const byte = buffer[0]!;
      if (count === null && bytes.length === 0) {
        throw new UsageError("a password is needed, and there is nobody to ask");
      }
      if (count === null || byte === 10 || byte === 13) break;
      // Raw mode leaves Ctrl-C and backspace to us.
      if (terminal && byte === 3) throw new UsageError("interrupted");
      if (terminal && (byte === 127 || byte === 8)) bytes.pop();
      else bytes.push(byte);
    }
  } finally {
    if (terminal) {
      Deno.stdin.setRaw(false);
      write(Deno.stderr, "\n");
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

async function post(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  trust: Trust,
): Promise<Reply> {
  if (trust.skipVerify && url.startsWith("https:")) return await postUnverified(url, body, headers);
  const client = Deno.createHttpClient({ caCerts: trust.ca === undefined ? [] : [trust.ca] });
  const response = await fetch(url, { method: "POST", body, headers, client, redirect: "error" });
  return { status: response.status, statusText: response.statusText, body: response.body ?? empty() };
}

async function* empty(): AsyncGenerator<Uint8Array> {}

/** `fetch` cannot be told to take any certificate; node:https can. */
function postUnverified(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { method: "POST", headers, rejectUnauthorized: false };
    const request = https.request(url, options, (response) => {
      resolve({ status: response.statusCode ?? 0, statusText: response.statusMessage ?? "", body: response });
    });
    request.on("error", reject);
    request.end(body);
  });
}

const io: Io = {
  out: (text) => write(Deno.stdout, text),
  error: (text) => write(Deno.stderr, text),
  isTerminal: Deno.stdout.isTerminal(),
  environment: (name) => Deno.env.get(name),
  readSecret,
  async readFile(path) {
    try {
      if (path === "-") return await new Response(Deno.stdin.readable).text();
      return await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw new UsageError(`cannot read ${path}: ${error instanceof Error ? error.message : error}`);
    }
  },
  async writePrivateFile(path, text) {
    // The mode counts only for a new file, and an old one may be open to others.
    await Deno.writeTextFile(path, "", { mode: 0o600 });
    if (Deno.build.os !== "windows") await Deno.chmod(path, 0o600);
    await Deno.writeTextFile(path, text);
  },
  post,
};

Deno.exit(await run(Deno.args, io));
