import { type Clock, type Processes, runToEnd } from "../../shared/runtime/mod.ts";
import { PlatformError } from "../../shared/platform/mod.ts";

const INFO_TIMEOUT_MS = 60_000;
const MAX_MESSAGE_CHARACTERS = 300;

/** What the check needs of the runtime's description of a module. */
interface ModuleInfo {
  readonly modules?: readonly {
    readonly error?: string;
    readonly dependencies?: readonly { readonly specifier: string; readonly code?: unknown }[];
  }[];
}

/**
 * Checks that a module is self-contained: it imports the runtime's own `node:` modules only. The runtime loads what a
 * module names in its imports without asking for a permission, so another import could read any JSON or script file of
 * the machine.
 *
 * Throws {@linkcode PlatformError} (Invalid) naming what it imports, or what makes it no module at all.
 */
export async function checkSelfContained(
  { processes, clock, runtime, modulePath, cacheFolder, shownName }: {
    processes: Processes;
    clock: Clock;
    runtime: string;
    modulePath: string;
    cacheFolder: string;
    /** Name of the module for people. */
    shownName: string;
  },
): Promise<void> {
  const { status, stdout, stderr } = await runToEnd(processes, {
    command: runtime,
    args: ["info", "--json", "--no-config", "--no-lock", "--no-remote", "--no-npm", modulePath],
    env: { DENO_DIR: cacheFolder, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    clearEnv: true,
    cwd: "/",
  }, { timeoutMs: INFO_TIMEOUT_MS, clock });
  if (status.code !== 0) throw invalid(shownName, `cannot be read: ${firstLine(stderr)}`);
  let info: ModuleInfo;
  try {
    info = JSON.parse(stdout);
  } catch (error) {
    throw new PlatformError("Inconsistent", `The runtime's description of ${shownName} is not JSON`, { cause: error });
  }
  if (!info.modules || info.modules.length === 0) throw invalid(shownName, "is not a module");
  // imports first: whether they exist on this machine is not the developer's business
  for (const dependency of info.modules.flatMap((module) => module.dependencies ?? [])) {
    // a dependency for types only is never loaded
    if (dependency.code !== undefined && !dependency.specifier.startsWith("node:")) {
      const shown = dependency.specifier.slice(0, 100);
      throw invalid(shownName, `imports "${shown}"; a module must be self-contained (only node: imports)`);
    }
  }
  for (const { error } of info.modules) {
    if (error) throw invalid(shownName, `is not a valid module: ${firstLine(error).replaceAll(modulePath, shownName)}`);
  }
}

function invalid(name: string, rule: string): PlatformError {
  return new PlatformError("Invalid", `Module ${name} ${rule}`);
}

function firstLine(text: string): string {
  return (text.trim().split("\n")[0] ?? "").replace(/^error: /, "").slice(0, MAX_MESSAGE_CHARACTERS);
}
