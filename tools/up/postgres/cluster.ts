import { join } from "node:path";
import type { Account } from "./account.ts";
import { EmbeddedPostgresError } from "./errors.ts";
import type { PostgresPackage } from "./packages.ts";
import type { Place } from "./place.ts";
import type { PostgresPrograms } from "./program.ts";

/** Name of the role that owns everything; only this module uses it. */
export const SUPERUSER = "postgres";

/** A data directory that is fit for use. */
export interface PreparedCluster {
  /** Settles when a new directory's files are on the disk; the outcome is a warning, or nothing. */
  readonly flushed: Promise<string | undefined>;
}

/**
 * Makes the data directory when it is empty, and checks it when it is not. The files of a new one are flushed to the disk
 * while the server already runs: waiting would double the time of a first start, and a power cut in these seconds can
 * cost no more than a database that is seconds old.
 * @param superuserPassword set on a new directory
 * @throws {EmbeddedPostgresError} when the directory was made by another major version, or initdb fails
 */
export async function prepareCluster(
  place: Place,
  programs: PostgresPrograms,
  source: PostgresPackage,
  account: Account | undefined,
  superuserPassword: string,
): Promise<PreparedCluster> {
  const made = await Deno.readTextFile(join(place.clusterDir, "PG_VERSION")).catch(() => undefined);
  if (made !== undefined) {
    requireMajor(place.clusterDir, made.trim(), source.major);
    return { flushed: Promise.resolve(undefined) };
  }
  // Made beside its place and moved there when complete, so that an interrupted initdb leaves nothing in the way.
  const draft = `${place.clusterDir}-draft`;
  await Deno.remove(draft, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(draft, { mode: 0o700 });
  if (account !== undefined) await Deno.chown(draft, account.uid, account.gid);
  await initialise(draft, programs, account, superuserPassword);
  await Deno.rename(draft, place.clusterDir);
  return { flushed: flush(place.clusterDir, programs, account) };
}

async function flush(
  clusterDir: string,
  programs: PostgresPrograms,
  account: Account | undefined,
): Promise<string | undefined> {
  const said = await runInitdb(programs, ["--sync-only", "--pgdata", clusterDir], clusterDir, account);
  return said === undefined ? undefined : `Files of the new database may not be on the disk yet:\n${said}`;
}

/** Runs initdb; returns the end of what it said when it failed. */
async function runInitdb(
  programs: PostgresPrograms,
  args: string[],
  cwd: string,
  account: Account | undefined,
): Promise<string | undefined> {
  const { success, stdout, stderr } = await new Deno.Command(programs.initdb, {
    ...{ args, cwd, clearEnv: true, env: { LC_ALL: "C", TZ: "UTC" } },
    ...(account && { uid: account.uid, gid: account.gid }),
  }).output();
  if (success) return undefined;
  const decoder = new TextDecoder();
  return `${decoder.decode(stdout)}${decoder.decode(stderr)}`.trimEnd().split("\n").slice(-8).join("\n");
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
    const args = [
      ...["--pgdata", clusterDir, "--username", SUPERUSER, "--pwfile", passwordFile, "--no-sync"],
      ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"],
      // Lower-casing beyond ASCII without the machine's locales.
      ...["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"],
    ];
    const said = await runInitdb(programs, args, clusterDir, account);
    if (said !== undefined) {
      throw new EmbeddedPostgresError("initialisation_failed", `initdb failed on ${clusterDir}:\n${said}`);
    }
  } finally {
    await Deno.remove(passwordFile);
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
