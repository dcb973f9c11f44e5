import { dirname, join, resolve } from "node:path";
import { type Account, canReach } from "./account.ts";
import { EmbeddedPostgresError } from "./errors.ts";

/** Where everything of one embedded server lies. */
export interface Place {
  /** Settled by the caller: passwords, log, and who started the server. */
  readonly stateDir: string;
  /** PostgreSQL's own data directory. */
  readonly clusterDir: string;
  /** Folder in which the program files are laid out. */
  readonly programDir: string;
}

/** Where data goes that the server's account could not reach in the folder asked for. */
const RELOCATION_ROOT = "/var/lib/archipelago";

/**
 * Settles the folders. When the server runs under another account that cannot pass the folders above `dataDir` (for
 * example a home of mode 0700), the server's data is put under `/var/lib/archipelago` and `dataDir/location` says
 * where: loosening somebody's home would be worse.
 * @throws {EmbeddedPostgresError} when no reachable folder can be made
 */
export async function settlePlace(
  dataDir: string,
  account: Account | undefined,
  relocationRoot = RELOCATION_ROOT,
): Promise<Place> {
  const stateDir = resolve(dataDir);
  await Deno.mkdir(stateDir, { recursive: true, mode: account === undefined ? 0o700 : 0o711 });
  const base = await serverBase(stateDir, account, relocationRoot);
  return { stateDir, clusterDir: join(base, "cluster"), programDir: join(base, "program") };
}

async function serverBase(stateDir: string, account: Account | undefined, relocationRoot: string): Promise<string> {
  const pointer = join(stateDir, "location");
  const known = await Deno.readTextFile(pointer).catch(() => undefined);
  if (known !== undefined) {
    const base = known.trim();
    if (await Deno.stat(base).catch(() => undefined) === undefined) {
      throw new EmbeddedPostgresError("unreachable_directory", `${pointer} names ${base}, which does not exist`);
    }
    return base;
  }
  if (account === undefined || await canReach(stateDir, account)) return stateDir;
  try {
    await Deno.mkdir(relocationRoot, { recursive: true, mode: 0o755 });
    if (!await canReach(relocationRoot, account)) {
      throw new Error(`account ${account.name} cannot reach ${relocationRoot}`);
    }
    await removeOrphans(relocationRoot);
    const base = await Deno.makeTempDir({ dir: relocationRoot, prefix: "postgres-" });
    await Deno.chmod(base, 0o711);
    await Deno.writeTextFile(join(base, "origin"), `${stateDir}\n`);
    await Deno.writeTextFile(pointer, `${base}\n`);
    return base;
  } catch (cause) {
    throw new EmbeddedPostgresError(
      "unreachable_directory",
      `PostgreSQL runs as "${account.name}", which cannot reach ${stateDir}; use a data folder whose parents everybody ` +
        `may pass, or run without root's rights (${(cause as Error).message})`,
      { cause },
    );
  }
}

/**
 * Removes relocated data whose origin is gone, of origins in a temporary folder only: elsewhere a missing origin may
 * be a disk that is not mounted at the moment.
 */
async function removeOrphans(relocationRoot: string): Promise<void> {
  for await (const entry of Deno.readDir(relocationRoot)) {
    const base = join(relocationRoot, entry.name);
    const origin = (await Deno.readTextFile(join(base, "origin")).catch(() => "")).trim();
    if (!isTemporary(origin) || await Deno.stat(origin).catch(() => undefined) !== undefined) continue;
    await Deno.remove(base, { recursive: true }).catch(() => {});
  }
}

function isTemporary(path: string): boolean {
  const roots = ["/tmp", "/var/tmp", Deno.env.get("TMPDIR")].filter((root) => root !== undefined && root !== "");
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    if (roots.includes(dirname(folder))) return true;
  }
  return false;
}
