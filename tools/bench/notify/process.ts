import { TextLineStream } from "./lines.ts";

/** What one process of the benchmark can be told. */
export type Commands = Record<string, (argument: never) => unknown>;

/** Serves commands from standard input, one JSON line each, and answers with one line each. */
export async function serveCommands(commands: Commands): Promise<void> {
  for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    const { name, argument } = JSON.parse(line) as { name: string; argument: never };
    const result = await commands[name]!(argument);
    console.log(JSON.stringify({ result }));
  }
  Deno.exit(0);
}

/** A process of the benchmark, seen from the one that measures. */
export class BenchProcess {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;

  /** Starts a script of this folder. @param v8Flags flags of the engine. */
  constructor(script: string, folder: string, v8Flags: readonly string[] = []) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--quiet",
        `--v8-flags=${["--expose-gc", ...v8Flags].join(",")}`,
        new URL(script, import.meta.url).pathname,
        folder,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
      .getReader();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Tells it something and waits for the answer. */
  async ask<T>(name: string, argument: unknown = null): Promise<T> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify({ name, argument })}\n`));
    const { value, done } = await this.#lines.read();
    if (done) throw new Error(`A process of the benchmark ended during ${name}`);
    return (JSON.parse(value) as { result: T }).result;
  }

  /** Ends it. */
  async end(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#process.status;
  }
}

/** Time that all processes of a machine share, ms. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
