import { createCa, type Identity, writeCertificate } from "../../../shared/identity/mod.ts";
import { environmentOf, systemClock, systemFiles, systemRandom } from "../../../shared/runtime/mod.ts";
import { openSecrets } from "../../../shared/secrets/mod.ts";
import { PARENT_V8_FLAGS } from "../../up/v8_flags.ts";
import type { BenchContext } from "../mod.ts";
import { BenchProcess } from "../rpc/process.ts";
import { residentBytes } from "../rpc/proc.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const REGION = "bench";
/** Longest wait for a store to be there, ms. */
const PATIENCE_MS = 30_000;

/** A controller in a process of its own, with the permission set that it has on a site. */
export interface RunningController {
  readonly port: number;
  residentBytes(): number;
  stop(): Promise<void>;
}

/** Processes, certificates and folders of a run. */
export interface Setting {
  readonly context: BenchContext;
  readonly load: BenchProcess;
  /** Port of a server that streams what it is asked for. */
  readonly barePort: number;
  readonly folder: string;
  controller(store: string): Promise<RunningController>;
  end(): Promise<void>;
}

/** Makes certificates in a folder of its own and starts the processes that all figures need. */
export async function createSetting(context: BenchContext): Promise<Setting> {
  const folder = await Deno.makeTempDir({ prefix: "archipelago-bench-" });
  const deps = { files: systemFiles(), clock: systemClock(), random: systemRandom(), environment: environmentOf({}) };
  const ca = await createCa({ ...deps, secrets: await openSecrets(`file:${folder}/secrets`, deps) });
  const certificate = async (name: string, identity: Identity): Promise<string> => {
    await writeCertificate(`${folder}/${name}`, await ca.issue({ identity }), deps);
    return `${folder}/${name}`;
  };
  const own = await certificate("controller", { tier: "regional", region: REGION, service: "controller" });
  const callers = await certificate("caller", { tier: "global", service: "master-controller" });
  await Deno.mkdir(`${folder}/store`);

  const load = new BenchProcess("../controller/load_process.ts", callers);
  const bare = new BenchProcess("./server_process.ts", own);
  const controllers = new Set<RunningController>();

  return {
    context,
    load,
    barePort: await bare.ask<number>("start", { kind: "ours", mutual: true }),
    folder,
    async controller(store) {
      const [port, notify] = freePorts(2);
      const process = new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--quiet", "--no-prompt", "--no-check", `--v8-flags=${PARENT_V8_FLAGS.join(",")}`],
          ...[`--config=${ROOT}deno.json`, "-P=controller"],
          `--allow-read=${
            [own, `${folder}/store`, ...(store.startsWith("etcd:") ? [etcdClientFolder()] : [])].join(",")
          }`,
          `--allow-write=${folder}/store`,
          `${ROOT}tiers/regional/controller/main.ts`,
          ...[`--region=${REGION}`, `--store=${store}`, `--tls-dir=${own}`, "--log-level=warn", "--site-grace=1h"],
          ...[`--api-addr=127.0.0.1:${port}`, `--notify-addr=127.0.0.1:${notify}`, "--watch-parent"],
        ],
        stdin: "piped",
        stdout: "null",
        stderr: "inherit",
      }).spawn();
      const running: RunningController = {
        port: port!,
        residentBytes: () => residentBytes(process.pid),
        async stop() {
          controllers.delete(running);
          await process.stdin.close().catch(() => {});
          try {
            process.kill("SIGTERM");
          } catch {
            // It has ended already.
          }
          await process.status;
        },
      };
      controllers.add(running);
      const ended = process.status.then(({ code, signal }) => {
        if (!controllers.has(running)) return;
        context.progress(`the controller ended with ${signal ?? code}`);
        throw new Error("The controller ended");
      });
      ended.catch(() => {});
      await Promise.race([load.ask("aim", { port }), ended]);
      return running;
    },
    async end() {
      for (const running of [...controllers]) await running.stop();
      await load.end();
      await bare.end();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A store to measure on. */
export interface BenchStore {
  readonly name: "sqlite" | "etcd";
  readonly url: string;
  end(): Promise<void>;
}

/** A file on the disk that holds temporary files. */
export function sqliteStore(setting: Setting): BenchStore {
  return { name: "sqlite", url: `sqlite:${setting.folder}/store/region.db`, end: () => Promise.resolve() };
}

/** Debian's etcd, one node with its data beside; undefined where it is not installed. */
export async function etcdStore(setting: Setting): Promise<BenchStore | undefined> {
  const [client, peer] = freePorts(2).map((port) => `http://127.0.0.1:${port}`) as [string, string];
  let process: Deno.ChildProcess;
  try {
    process = new Deno.Command("etcd", {
      args: [
        ...["--data-dir", `${setting.folder}/etcd`, "--name", "one", "--log-level", "error"],
        ...["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer],
        ...["--initial-advertise-peer-urls", peer, "--initial-cluster", `one=${peer}`],
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await fetch(`${client}/health`).then((answer) => answer.text(), () => "")).includes('"true"')) {
    if (performance.now() > deadline) throw new Error("etcd does not start");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    name: "etcd",
    url: `etcd:${client}`,
    async end() {
      process.kill("SIGKILL");
      await process.status;
    },
  };
}

/** The etcd client reads its service descriptions from its own package. */
function etcdClientFolder(): string {
  return new URL("..", import.meta.resolve("etcd3")).pathname;
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map((listener) => (listener.addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}
