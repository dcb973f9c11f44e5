import { DOOR_V8_FLAGS } from "../../up/v8_flags.ts";
import type { BenchContext } from "../mod.ts";
import { BenchProcess } from "../rpc/process.ts";
import type { Aim } from "./load_process.ts";

/** A running engine with its region and its devices. */
export interface Scene {
  /** The engine's process. */
  readonly pid: number;
  readonly rest: number;
  readonly grpc: number;
  /** Folder of its public certificate. */
  readonly certificates: string;
  readonly region: BenchProcess;
  readonly load: BenchProcess;
  /** Seconds from the engine's start until it had the region. */
  readonly readySeconds: number;
}

/** What the groups of figures share. */
export interface Setting {
  readonly context: BenchContext;
  /** Whether only some groups were asked for, so that each may take as long as it needs. */
  readonly alone: boolean;
  /** Starts an engine with a region of its own. */
  scene(instances: number): Promise<Scene>;
  /** Starts a process of the benchmark. */
  start(script: string, ...args: string[]): BenchProcess;
  /** Ends every process that is still there. */
  endAll(): Promise<void>;
}

const ROOT = new URL("../../../", import.meta.url).pathname;

/** Devices with a session each: fewer than the engine remembers, as of those that call within a minute. */
const DEVICES = 10_000;
const QUICK_DEVICES = 2_000;
/** How long an engine may take to have its region, ms. */
const READY_MS = 120_000;

interface Ready {
  readonly message?: string;
  readonly addresses?: { readonly rest: string; readonly grpc: string };
}

/** Makes a setting. */
export function createSetting(context: BenchContext, alone: boolean): Setting {
  const running: BenchProcess[] = [];
  const engines: Deno.ChildProcess[] = [];
  const regions: BenchProcess[] = [];
  function start(script: string, ...args: string[]): BenchProcess {
    const process = new BenchProcess(new URL(script, import.meta.url).href, ...args);
    running.push(process);
    return process;
  }
  return {
    context,
    alone,
    start,
    async scene(instances) {
      const region = start("./region_process.ts");
      regions.push(region);
      const begun = performance.now();
      const { args, folder, ca } = await region.ask<{ args: string[]; folder: string; ca: string }>("start", instances);
      const { process, addresses } = await startEngine(args, folder, engines);
      const readySeconds = (performance.now() - begun) / 1_000;
      const load = start("./load_process.ts");
      const [rest, grpc] = [portOf(addresses.rest), portOf(addresses.grpc)];
      const devices = context.quick ? QUICK_DEVICES : DEVICES;
      await load.ask("aim", { rest, grpc, ca, instances, devices } satisfies Aim);
      return { pid: process.pid, rest, grpc, certificates: `${folder}/public`, region, load, readySeconds };
    },
    async endAll() {
      for (const engine of engines.splice(0)) {
        engine.kill("SIGKILL");
        await engine.status;
      }
      for (const region of regions.splice(0)) await region.ask("leave");
      await Promise.all(running.splice(0).map((process) => process.end()));
    },
  };
}

/** Starts an engine as its users do: a process of its own, under its permission set. */
async function startEngine(args: readonly string[], folder: string, engines: Deno.ChildProcess[]) {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "--quiet",
        "--no-prompt",
        `--v8-flags=${DOOR_V8_FLAGS.join(",")}`,
        `--config=${ROOT}deno.json`,
        "-P=dme",
        `--allow-read=${folder}`,
      ],
      ...[`${ROOT}tiers/regional/dme/main.ts`, "--admin-addr", "127.0.0.1:0", ...args],
    ],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  engines.push(process);
  const ready = Promise.withResolvers<NonNullable<Ready["addresses"]>>();
  const seen: string[] = [];
  async function follow(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (seen.length < 20) seen.push(line);
        const { message, addresses } = parse(line);
        if (message === "ready" && addresses !== undefined) ready.resolve(addresses);
      }
    }
  }
  void follow(process.stdout);
  void follow(process.stderr);
  const late = setTimeout(() => ready.reject(new Error("The engine does not become ready")), READY_MS);
  const ended = process.status.then(() => Promise.reject(new Error(`The engine ended:\n${seen.join("\n")}`)));
  ended.catch(() => {});
  const addresses = await Promise.race([ready.promise, ended]).finally(() => clearTimeout(late));
  return { process, addresses };
}

function parse(line: string): Ready {
  try {
    return JSON.parse(line) as Ready;
  } catch {
    return {};
  }
}

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(":") + 1));
