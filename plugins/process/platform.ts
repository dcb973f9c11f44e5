import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import {
  type AppOps,
  type CloudletFacts,
  type CloudletPlatform,
  type PlatformContext,
  PlatformError,
  propertyValue,
  PUBLIC_ADDRESS,
} from "../../shared/platform/mod.ts";
import { type Clock, runToEnd } from "../../shared/runtime/mod.ts";
import { createAppOps, type ProcessApps } from "./apps.ts";
import { foreignSignaller } from "./foreign_process.ts";
import { META, RESTART_DELAY, START_TIMEOUT } from "./meta.ts";
import { kernelProcessTable } from "./process_table.ts";

const VERSION_TIMEOUT_MS = 30_000;
/** Apps are reached on the site's own machine unless the operator names another address of it. */
const LOOPBACK = "127.0.0.1";

/** Makes the platform; it works once `init` has ended. */
export function createProcessPlatform(): CloudletPlatform {
  let context: PlatformContext | undefined;
  let apps: ProcessApps | undefined;
  let version = "";
  const ready = (): ProcessApps => {
    if (!apps) throw new PlatformError("Inconsistent", "The platform is not initialised");
    return apps;
  };
  const ops: AppOps = {
    create: (spec, operation) => ready().ops.create(spec, operation),
    update: (spec, operation) => ready().ops.update!(spec, operation),
    delete: (ref, operation) => ready().ops.delete(ref, operation),
    exec: (ref, command, operation) => ready().ops.exec!(ref, command, operation),
    logs: (ref, options, operation) => ready().ops.logs!(ref, options, operation),
    list: (operation) => ready().ops.list(operation),
    status: (ref) => ready().ops.status(ref),
    watch: (listener) => ready().ops.watch(listener),
  };
  return {
    meta: META,
    apps: ops,
    async init(given, operation) {
      context = given;
      const restartDelayMs = Number(propertyValue(META, given.variables, RESTART_DELAY));
      const startTimeoutMs = Number(propertyValue(META, given.variables, START_TIMEOUT));
      operation.progress("Checking the runtime");
      version = await runtimeVersionOf(given);
      const cacheFolder = `${given.directory}/cache`;
      await given.files.makeDirectory(cacheFolder, { mode: 0o700 });
      const { processes, clock, runtime } = given;
      apps = createAppOps({
        context: given,
        table: kernelProcessTable(),
        signalForeign: foreignSignaller({ processes, clock, runtime, cacheFolder }),
        restartDelayMs,
        startTimeoutMs,
      });
      operation.progress("Finding running apps");
      await apps.recover();
    },
    async gather(): Promise<CloudletFacts> {
      ready();
      return {
        ramMb: memoryMb(),
        vcpus: navigator.hardwareConcurrency,
        diskGb: await diskGb(context!.directory),
        properties: { runtime: context!.runtime, "runtime-version": version, [PUBLIC_ADDRESS]: LOOPBACK },
      };
    },
    async close(options) {
      await apps?.close(options?.stopApps ?? false);
    },
  };
}

/** Version of the runtime. Throws {@linkcode PlatformError} (Invalid) when the path leads to something else. */
async function runtimeVersionOf(context: PlatformContext): Promise<string> {
  const { processes, clock, runtime, directory } = context;
  try {
    const { status, stdout } = await runToEnd(processes, {
      command: runtime,
      args: ["--version"],
      env: { DENO_DIR: `${directory}/cache`, NO_COLOR: "1" },
      clearEnv: true,
      cwd: "/",
    }, { timeoutMs: VERSION_TIMEOUT_MS, clock: clock as Clock });
    const version = /^deno ([0-9][^\s]*)/.exec(stdout)?.[1];
    if (status.code === 0 && version) return version;
  } catch (error) {
    throw new PlatformError("Invalid", `The runtime ${runtime} for apps cannot be started`, { cause: error });
  }
  throw new PlatformError("Invalid", `The runtime ${runtime} for apps is not a Deno`);
}

function memoryMb(): number {
  try {
    return Math.floor(totalmem() / (1024 * 1024));
  } catch {
    // without the permission to ask the size is not known
    return 0;
  }
}

/** Gigabytes that are free where instances keep their files. */
async function diskGb(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return Math.floor(bavail * bsize / 1024 ** 3);
  } catch {
    // without the permission to ask the size is not known
    return 0;
  }
}
