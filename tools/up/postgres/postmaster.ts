import process from "node:process";
import { join } from "node:path";

/** What the server writes about itself into `postmaster.pid`. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  /** `starting`, `stopping`, `ready` or `standby`; empty while not yet written. */
  readonly status: string;
}

/** Reads `postmaster.pid`; undefined when there is none or it is not yet complete. */
export async function readPostmasterFile(clusterDir: string): Promise<PostmasterFile | undefined> {
  const text = await Deno.readTextFile(join(clusterDir, "postmaster.pid")).catch(() => undefined);
  return text === undefined ? undefined : parsePostmasterFile(text);
}

/** Lines as in PostgreSQL's `pidfile.h`: 1 process, 2 folder, 3 start time, 4 port, …, 8 status. */
export function parsePostmasterFile(text: string): PostmasterFile | undefined {
  const lines = text.split("\n");
  // A negative number is that of a stand-alone backend.
  const pid = Math.abs(Number(lines[0]));
  if (!Number.isInteger(pid) || pid === 0) return undefined;
  return { pid, port: Number(lines[3] ?? 0), status: (lines[7] ?? "").trim() };
}

/** Whether a process with this number exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

/**
 * Whether the process is the server of this data directory, and not a stranger that was given the number after a
 * restart of the machine or container. The server's working folder is its data directory.
 */
export async function isServerOf(pid: number, clusterDir: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const real = await Deno.realPath(clusterDir);
  if (Deno.build.os === "linux") return await Deno.readLink(`/proc/${pid}/cwd`).catch(() => undefined) === real;
  const ps = await new Deno.Command("ps", { args: ["-o", "command=", "-p", String(pid)] }).output();
  const command = new TextDecoder().decode(ps.stdout);
  return command.includes(clusterDir) || command.includes(real);
}

/** A process that can be told from a later one with the same number. */
export interface ProcessMark {
  readonly pid: number;
  /** Start time in clock ticks since boot; empty where the system does not tell. */
  readonly startTicks: string;
}

/** The mark of a process; undefined when it does not exist. */
export async function markProcess(pid: number): Promise<ProcessMark | undefined> {
  if (!isAlive(pid)) return undefined;
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  // proc(5): field 22; the name in field 2 may hold spaces and brackets, so count from the last bracket.
  const startTicks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return { pid, startTicks };
}
