import assert from "node:assert/strict";
import type { StreamInfo } from "../../shared/notify/mod.ts";
import type { ChannelTls } from "../../shared/rpc/mod.ts";
import { type Authority, createAuthority, uriOf } from "../../shared/rpc/conformance/certificates.ts";
import type { ParentCommand } from "./parent.ts";

/** Generous: other tests load the machine. */
export const WAIT_MS = 60_000;
const PARENT = new URL("./parent.ts", import.meta.url).pathname;

/** Waits for a condition, with a deadline. */
export async function until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`Waited in vain: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Refuses a server that is no controller of the region. */
export function controllerOf(region: string): (chain: readonly Uint8Array[]) => void {
  return (chain) => assert.equal(uriOf(chain[0]!), `spiffe://archipelago/region/${region}/service/controller`);
}

/** A folder with the certificates of a controller, and what a child of it needs. */
export class Trust implements AsyncDisposable {
  readonly folder: string;
  readonly authority: Authority;
  readonly tls: ChannelTls;

  private constructor(folder: string, authority: Authority, tls: ChannelTls) {
    this.folder = folder;
    this.authority = authority;
    this.tls = tls;
  }

  static async create(): Promise<Trust> {
    const folder = await Deno.makeTempDir();
    const authority = await createAuthority("test");
    const { cert, key } = await authority.issue("spiffe://archipelago/region/eu/service/controller");
    await Deno.writeTextFile(`${folder}/cert.pem`, cert);
    await Deno.writeTextFile(`${folder}/key.pem`, key);
    await Deno.writeTextFile(`${folder}/ca.pem`, authority.ca);
    const own = await authority.issue("spiffe://archipelago/region/eu/service/dme");
    return new Trust(folder, authority, { ...own, ca: authority.ca, verifyPeer: controllerOf("eu") });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.folder, { recursive: true });
  }
}

/** A parent in a process of its own. */
export class ParentProcess implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  private constructor(port: number, process: Deno.ChildProcess, lines: AsyncIterator<string>) {
    this.port = port;
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#lines = lines;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** @param inside words in front of the command, such as those that enter a network namespace. */
  static async start(
    folder: string,
    objects: number,
    value: string,
    { hostname = "127.0.0.1", inside = [] }: { hostname?: string; inside?: readonly string[] } = {},
  ): Promise<ParentProcess> {
    const words = [...inside, Deno.execPath(), "run", "-A", "--no-check", PARENT];
    const process = new Deno.Command(words[0]!, {
      args: [...words.slice(1), folder, `${objects}`, value, hostname],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = linesOf(process.stdout);
    const { value: line } = await lines.next();
    return new ParentProcess(Number(line), process, lines);
  }

  /** Tells it something and returns its answer. */
  async tell(command: ParentCommand): Promise<unknown> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(command)}\n`));
    const { value } = await this.#lines.next();
    return JSON.parse(value);
  }

  async streams(): Promise<StreamInfo[]> {
    return await this.tell({ do: "streams" }) as StreamInfo[];
  }

  /** Resident memory, bytes. */
  memory(): number {
    const text = Deno.readTextFileSync(`/proc/${this.pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)![1]) * 1_024;
  }

  async kill(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#input.close().catch(() => {});
    await this.#lines.return?.();
    await this.#process.status;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
