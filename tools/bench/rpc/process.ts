import { DOOR_V8_FLAGS } from "../../up/v8_flags.ts";

/** What one process of the benchmark can be told. */
export type Commands = Record<string, (argument: never) => unknown>;

/** Serves commands from standard input, one JSON line each, and answers with one line each. */
export async function serveCommands(commands: Commands): Promise<void> {
  for await (const line of linesOf(Deno.stdin.readable)) {
    const { name, argument } = JSON.parse(line) as { name: string; argument: never };
    const result = await commands[name]!(argument);
    console.log(JSON.stringify({ result }));
  }
  Deno.exit(0);
}

/** A process of the benchmark, seen from the one that measures; its engine has the flags of a service with public ports. */
export class BenchProcess {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;

  /** Starts a script of this folder. @param args Its arguments. */
  constructor(script: string, ...args: string[]) {
    const path = new URL(script, import.meta.url).pathname;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--quiet",
        `--v8-flags=${["--expose-gc", ...DOOR_V8_FLAGS].join(",")}`,
        path,
        ...args,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#lines = linesOf(this.#process.stdout);
  }

  /** Process id, for /proc. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Tells it something and waits for the answer. */
  async ask<T>(name: string, argument: unknown = null): Promise<T> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify({ name, argument })}\n`));
    const { value, done } = await this.#lines.next();
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

async function* linesOf(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** Time that all processes of a machine share, ms. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
