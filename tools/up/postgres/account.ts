import { dirname } from "node:path";
import { EmbeddedPostgresError } from "./errors.ts";

/** An account of the machine. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account that the server runs under: none (the caller's own) unless the caller is root, as PostgreSQL refuses to
 * run with root's rights.
 * @param name account to drop to
 * @throws {EmbeddedPostgresError} when root asks and there is no such account, or it is root's own
 */
export async function unprivilegedAccount(name: string): Promise<Account | undefined> {
  if (Deno.uid() !== 0) return undefined;
  const account = findAccount(await Deno.readTextFile("/etc/passwd"), name);
  if (account === undefined || account.uid === 0) {
    throw new EmbeddedPostgresError(
      "no_unprivileged_account",
      `PostgreSQL refuses to run as root and there is no unprivileged account "${name}" to run it as`,
    );
  }
  return account;
}

/** Looks an account up in the text of `/etc/passwd` (passwd(5)). */
export function findAccount(passwd: string, name: string): Account | undefined {
  for (const line of passwd.split("\n")) {
    const [entry, , uid, gid] = line.split(":");
    if (entry === name && /^\d+$/.test(uid ?? "") && /^\d+$/.test(gid ?? "")) {
      return { name, uid: Number(uid), gid: Number(gid) };
    }
  }
  return undefined;
}

/** Whether the account may pass through `path` and every folder above it. Folders that do not exist yet count as passable. */
export async function canReach(path: string, account: Account): Promise<boolean> {
  for (let folder = path;; folder = dirname(folder)) {
    const info = await Deno.stat(folder).catch(() => undefined);
    if (info !== undefined && !maySearch(info, account)) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** Search permission, as the classes of owner, group and others grant it. */
function maySearch(info: Deno.FileInfo, account: Account): boolean {
  const mode = info.mode ?? 0;
  if (info.uid === account.uid) return (mode & 0o100) !== 0;
  if (info.gid === account.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}
