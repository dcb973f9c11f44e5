import { join } from "node:path";
import type { Account } from "./account.ts";
import { EmbeddedPostgresError } from "./errors.ts";
import type { PostgresPackage } from "./packages.ts";
import type { Place } from "./place.ts";
import type { PostgresPrograms } from "./program.ts";

/** Name of the role that owns everything; only this module uses it. */
export const SUPERUSER = "postgres";

/**
 * Makes the data directory when it is empty, and checks it when it is not.
 * @param superuserPassword set on a new directory
 * @throws {EmbeddedPostgresError} when the directory was made by another major version, or initdb fails
 */
export async function prepareCluster(
  place: Place,
  programs: PostgresPrograms,
  source: PostgresPackage,
  account: Account | undefined,
  superuserPassword: string,
): Promise<void> {
  const made = await Deno.readTextFile(join(place.clusterDir, "PG_VERSION")).catch(() => undefined);
  if (made !== undefined) return requireMajor(place.clusterDir, made.trim(), source.major);
  // Made beside its place and moved there when complete, so that an interrupted initdb leaves nothing in the way.
  const draft = `${place.clusterDir}-draft`;
  await Deno.remove(draft, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(draft, { mode: 0o700 });
  if (account !== undefined) await Deno.chown(draft, account.uid, account.gid);
  await initialise(draft, programs, account, superuserPassword);
  await Deno.rename(draft, place.clusterDir);
}

function requireMajor(clusterDir: string, made: string, major: number): void {
  if (made === String(major)) return;
  throw new EmbeddedPostgresError(
    "other_major_version",
    `${clusterDir} was made by PostgreSQL ${made}, this is ${major}. Move it away, or carry the data over with ` +
      `pg_dumpall of version ${made} and psql`,
  );
}

async function initialise(
  clusterDir: string,
  programs: PostgresPrograms,
  account: Account | undefined,
  password: string,
): Promise<void> {
  const passwordFile = `${clusterDir}-password-${crypto.randomUUID()}`;
  await Deno.writeTextFile(passwordFile, password, { mode: 0o600, createNew: true });
  try {
    if (account !== undefined) await Deno.chown(passwordFile, account.uid, account.gid);
    const { success, stdout, stderr } = await new Deno.Command(programs.initdb, {
      args: [
        ...["--pgdata", clusterDir, "--username", SUPERUSER, "--pwfile", passwordFile],
        ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"],
        // Lower-casing beyond ASCII without the machine's locales.
        ...["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"],
      ],
      cwd: clusterDir,
      env: { LC_ALL: "C", TZ: "UTC" },
      clearEnv: true,
      ...(account && { uid: account.uid, gid: account.gid }),
    }).output();
    if (!success) {
      const decoder = new TextDecoder();
      const said = `${decoder.decode(stdout)}${decoder.decode(stderr)}`.trimEnd().split("\n").slice(-8).join("\n");
      throw new EmbeddedPostgresError("initialisation_failed", `initdb failed on ${clusterDir}:\n${said}`);
    }
  } finally {
    await Deno.remove(passwordFile);
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
