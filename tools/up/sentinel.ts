import type { Processes, RunningProcess } from "../../shared/runtime/mod.ts";

/** Ends another process when this one is gone. */
export interface Sentinel {
  /** Watches no more. */
  dismiss(): Promise<void>;
}

/**
 * Watches over a process that cannot watch its parent itself: a shell waits for the end of its standard input, which comes
 * however this process ends, kill -9 included, and then asks the other to shut down at once.
 */
export function watchOver(pid: number, processes: Processes): Sentinel {
  const shell: RunningProcess = processes.spawn({
    command: "/bin/sh",
    // read ends with the pipe; the exit code of a process that is gone already does not matter
    args: ["-c", `read -r _; kill -INT ${pid} 2>/dev/null`],
    detached: true,
    stdin: "pipe",
  });
  return {
    async dismiss() {
      shell.kill("SIGKILL");
      await shell.exited;
    },
  };
}
