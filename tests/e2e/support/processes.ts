import { eventually } from "./wait.ts";

/** What a finished command printed and how it ended. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `deno task NAME ARGS…` in the repository to its end, with an empty standard input. */
export async function task(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", name, ...args],
    cwd: repository(),
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  return { code: output.code, stdout: text.decode(output.stdout), stderr: text.decode(output.stderr) };
}

/** Folder of this checkout. */
export function repository(): string {
  return new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
}

/** Whether a process with this id exists and is not a zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** Command lines of running processes that contain the text, by process id. */
export function processesWith(text: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const entry of Deno.readDirSync("/proc")) {
    const pid = Number(entry.name);
    if (!Number.isInteger(pid) || pid === Deno.pid || !isRunning(pid)) continue;
    try {
      const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
      if (command.includes(text)) found.set(pid, command);
    } catch { /* it ended meanwhile */ }
  }
  return found;
}

/** Kills a process outright and waits until it is gone. */
export async function killOutright(pid: number): Promise<void> {
  Deno.kill(pid, "SIGKILL");
  await eventually(`process ${pid} to be gone`, () => isRunning(pid) ? undefined : true);
}
