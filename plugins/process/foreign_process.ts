import type { Clock, Processes } from "../../shared/runtime/mod.ts";
import { runToEnd } from "../../shared/runtime/mod.ts";
import { PlatformError } from "../../shared/platform/mod.ts";

const HELPER_TIMEOUT_MS = 30_000;

/**
 * Sent to a process that is not a child of ours. It looks again at the working folder just before it signals, so that a
 * process id that was meanwhile given to a stranger is left alone.
 */
const SIGNAL_PROGRAM = `
const [pid, folder, signal] = Deno.args;
const cwd = (() => { try { return Deno.readLinkSync("/proc/" + pid + "/cwd"); } catch { return ""; } })();
if (cwd === folder || cwd.startsWith(folder + "/") || cwd.startsWith(folder + " (deleted)")) {
  for (const target of [-Number(pid), Number(pid)]) {
    try { Deno.kill(target, signal); } catch (error) { if (!(error instanceof Deno.errors.NotFound) && !/ESRCH|No such process/.test(error.message)) throw error; }
  }
}
`;

/** Signals the process group of a process that works in `folder`. */
export interface SignalForeign {
  (pid: number, folder: string, signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/**
 * Signals through a short-lived helper on the given runtime: this process itself may only run that one program, and
 * may signal only its own children.
 */
export function foreignSignaller(
  { processes, clock, runtime, cacheFolder }: {
    processes: Processes;
    clock: Clock;
    runtime: string;
    cacheFolder: string;
  },
): SignalForeign {
  return async (pid, folder, signal) => {
    const { status, stderr } = await runToEnd(processes, {
      command: runtime,
      args: ["eval", "--no-config", "--no-lock", SIGNAL_PROGRAM, String(pid), folder, signal],
      env: { DENO_DIR: cacheFolder, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      clearEnv: true,
      cwd: "/",
    }, { timeoutMs: HELPER_TIMEOUT_MS, clock });
    if (status.code !== 0) {
      throw new PlatformError("Inconsistent", `Cannot signal process ${pid}: ${stderr.trim().split("\n")[0] ?? ""}`);
    }
  };
}
