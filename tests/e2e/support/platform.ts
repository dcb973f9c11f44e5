import { dirname } from "node:path";
import { isRunning, processesWith, repository } from "./processes.ts";
import { eventually } from "./wait.ts";

/** `DIR/up.json` as scripts read it. */
export interface UpInfo {
  version: number;
  ca: string;
  admin: { name: string; passwordFile: string };
  masterController: { rest: string };
  regions: Record<string, { controller: { grpc: string }; dme: { rest: string; grpc: string } }>;
  services: {
    name: string;
    type: string;
    region?: string;
    cloudlet?: string | { organization: string; name: string };
    pid: number;
    log: string;
    permissionSet: string;
    urls: Record<string, string>;
  }[];
}

/** A platform that `up` started in its own folder. */
export interface Platform {
  /** State folder. */
  readonly data: string;
  /** Everything that `up` printed so far. */
  output(): string;
  /** `up.json` as it is now. */
  info(): UpInfo;
  /** Process id of the only service of the type (and cloudlet). */
  pid(type: string, cloudlet?: string): number;
  /** Ends `up` as Ctrl-C does, checks that no process is left, and removes the folder. */
  stop(): Promise<{ code: number }>;
  /** The same, but keeps the folder. */
  halt(): Promise<{ code: number }>;
}

const START_LIMIT_MS = 120_000;

/** Starts `deno task up` and waits until it says that all is ready. */
export async function startPlatform(args: readonly string[] = [], data?: string): Promise<Platform> {
  const folder = data ?? `${await Deno.makeTempDir({ prefix: "archipelago-e2e-" })}/data`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...upCommand(),
      ...["--data", folder],
      ...(args.includes("--port-base") ? [] : ["--port-base", String(freePortBase())]),
      ...args,
    ],
    cwd: repository(),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let printed = "";
  const drained = Promise.all([child.stdout, child.stderr].map(async (stream) => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) printed += chunk;
  }));
  let status: Deno.CommandStatus | undefined;
  child.status.then((ended) => status = ended);
  const info = (): UpInfo => JSON.parse(Deno.readTextFileSync(`${folder}/up.json`));
  try {
    await eventually("up.json", () => {
      if (status) return "ended";
      try {
        return info() && "ready";
      } catch {
        return undefined;
      }
    }, START_LIMIT_MS);
    if (status) throw new Error(`up ended with ${status.code} before it was ready`);
  } catch (error) {
    if (!status) child.kill("SIGTERM");
    await child.status;
    throw new Error(`up did not become ready; it printed:\n${printed}`, { cause: error });
  }
  const halt = async (): Promise<{ code: number }> => {
    if (!status) child.kill("SIGINT");
    const ended = await child.status;
    await drained;
    await eventually("all processes to be gone", () => processesWith(folder).size === 0 ? true : undefined, 30_000)
      .catch((error) => {
        throw new Error(`left running: ${JSON.stringify([...processesWith(folder)])}`, { cause: error });
      });
    return { code: ended.code };
  };
  return {
    data: folder,
    output: () => printed,
    info,
    pid(type, cloudlet) {
      const found = info().services.filter((service) =>
        service.type === type && (cloudlet === undefined || JSON.stringify(service.cloudlet).includes(cloudlet)) &&
        isRunning(service.pid)
      );
      if (found.length !== 1) {
        throw new Error(`expected one running ${type} of ${cloudlet ?? "any cloudlet"}, found ${found.length}`);
      }
      return found[0]!.pid;
    },
    halt,
    async stop() {
      const ended = await halt();
      await Deno.remove(folder, { recursive: true });
      await Deno.remove(dirname(folder));
      return ended;
    },
  };
}

/** What `deno task up` runs, without the task runner, which has exit codes of its own for signals. */
function upCommand(): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${repository()}/deno.json`)) as { tasks: { up: string } };
  return tasks.up.split(" ").slice(1);
}

/** A port from which on a hundred are free right now. */
export function freePortBase(): number {
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = 12_000 + 100 * Math.floor(Math.random() * 180);
    if (allFree(base, 40)) return base;
  }
  throw new Error("no free range of ports");
}

function allFree(base: number, count: number): boolean {
  try {
    for (let port = base; port < base + count; port++) Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}
