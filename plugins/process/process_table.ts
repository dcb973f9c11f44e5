import { readdir, readlink } from "node:fs/promises";
import { PlatformError } from "../../shared/platform/mod.ts";

/** Finds running processes by the folder in which they work. */
export interface ProcessTable {
  /** Process ids by working folder, for every folder at or below `root`. */
  below(root: string): Promise<Map<string, number[]>>;
  /** Whether the process runs and works at or below a folder. */
  worksIn(pid: number, folder: string): Promise<boolean>;
}

/**
 * The kernel's table. The working folder identifies an instance better than a process id, which may be used again: the
 * folder is the instance's own, and a sandboxed app cannot leave it. A dead process, a zombie too, has none.
 */
export function kernelProcessTable(): ProcessTable {
  return {
    async below(root) {
      const found = new Map<string, number[]>();
      for (const name of await processNames()) {
        if (!/^[0-9]+$/.test(name)) continue;
        const folder = await workingFolder(Number(name));
        if (folder === undefined || !isBelow(folder, root)) continue;
        found.set(folder, [...found.get(folder) ?? [], Number(name)]);
      }
      return found;
    },
    async worksIn(pid, folder) {
      const working = await workingFolder(pid);
      return working !== undefined && isBelow(working, folder);
    },
  };
}

async function processNames(): Promise<string[]> {
  try {
    return await readdir("/proc");
  } catch (cause) {
    throw new PlatformError("Invalid", "The process platform needs Linux and read access to /proc, to find its apps", {
      cause,
    });
  }
}

async function workingFolder(pid: number): Promise<string | undefined> {
  try {
    // the kernel appends this when the folder was removed under the process
    return (await readlink(`/proc/${pid}/cwd`)).replace(/ \(deleted\)$/, "");
  } catch {
    // gone, or another user's: not ours in both cases
    return undefined;
  }
}

/** Whether a path is a folder itself or lies below it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
