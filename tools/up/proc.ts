/** What `/proc` tells of processes and sockets; on systems without it nothing is known. */

/** Ticks since boot at which a process started: with the number it names a process for good. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Command line of a process, for people. */
export function commandOf(pid: number): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Process that listens on a TCP port of this machine, as far as it may be seen. */
export function listenerOf(port: number): { pid: number; command: string } | undefined {
  const inode = listeningInode(port);
  if (inode === undefined) return undefined;
  for (const entry of safely(() => [...Deno.readDirSync("/proc")]) ?? []) {
    const pid = Number(entry.name);
    if (!Number.isInteger(pid)) continue;
    for (const handle of safely(() => [...Deno.readDirSync(`/proc/${pid}/fd`)]) ?? []) {
      const target = safely(() => Deno.readLinkSync(`/proc/${pid}/fd/${handle.name}`));
      if (target === `socket:[${inode}]`) return { pid, command: commandOf(pid) ?? "unknown" };
    }
  }
  return undefined;
}

const TCP_LISTEN = "0A";

function listeningInode(port: number): string | undefined {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of (safely(() => Deno.readTextFileSync(table)) ?? "").split("\n").slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === TCP_LISTEN && local?.endsWith(`:${wanted}`)) return inode;
    }
  }
  return undefined;
}

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
