import { join } from "node:path";
import { identifier, openDatabase, SqlFragment } from "../../../shared/database/mod.ts";
import { unprivilegedAccount } from "./account.ts";
import { prepareCluster, SUPERUSER } from "./cluster.ts";
import { EmbeddedPostgresError } from "./errors.ts";
import { loadPostgresPackage } from "./packages.ts";
import { type Place, settlePlace } from "./place.ts";
import { isServerOf, markProcess, type ProcessMark, readPostmasterFile } from "./postmaster.ts";
import { layOutPrograms } from "./program.ts";
import {
  type ExitStatus,
  portTaken,
  type ServerOptions,
  type ServerProcess,
  spawnServer,
  stopServer,
  waitUntilReady,
} from "./server.ts";

/** Options of {@linkcode startEmbeddedPostgres}. */
export interface EmbeddedPostgresOptions {
  /** Folder for data, passwords and log; made when missing. */
  dataDir: string;
  /** Port to listen on; 0 takes a free one. */
  port: number;
  /** Loopback address to listen on. @default {"127.0.0.1"} */
  host?: "127.0.0.1" | "::1";
  /** Account to run under when started by root. @default {"nobody"} */
  account?: string;
  /** Name of the database, and of the role that owns it. @default {"archipelago"} */
  database?: string;
  /** How long the server may take until it accepts connections; recovery after a crash included. @default {30_000} */
  startDeadlineMs?: number;
  /** Told what is worth telling, one line each. */
  log?: (line: string) => void;
}

/** A running embedded PostgreSQL. */
export interface EmbeddedPostgres {
  /** URL with the password of the role that owns the database; never log it. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Version of the package, for example `18.4.0-beta.17`. */
  readonly version: string;
  /** PostgreSQL's own data directory. */
  readonly clusterDir: string;
  /** File that the server's messages go to. */
  readonly logFile: string;
  /** Settles when the server has ended, for whatever reason. */
  readonly exited: Promise<ExitStatus>;
  /** Ends the server with its data flushed; no error when it has ended already. */
  stop(): Promise<void>;
}

/** Free ports can be taken between the look and the use; how often another one is tried. */
const FREE_PORT_ATTEMPTS = 5;
/** Backends of a killed server may hold its shared memory a little longer. */
const ORPHAN_PATIENCE_MS = 10_000;
/** A log beyond this size is moved aside at the next start. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;

/**
 * Starts a PostgreSQL of the npm platform packages, with scram-sha-256 passwords kept in files of mode 0600 and
 * listening on loopback only. What a killed predecessor left (a stale `postmaster.pid`, or the server itself without
 * the program that started it) is dealt with.
 * @throws {EmbeddedPostgresError}
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const source = await loadPostgresPackage();
  const account = await unprivilegedAccount(options.account ?? "nobody");
  const place = await settlePlace(options.dataDir, account);
  await endPredecessor(place, options.log);
  const host = options.host ?? "127.0.0.1";
  if (options.port !== 0) requireFreePort(host, options.port);
  const programs = await layOutPrograms(source, place.programDir);
  const superuserPassword = await keptPassword(join(place.stateDir, "superuser-password"));
  const { flushed } = await prepareCluster(place, programs, source, account, superuserPassword);
  const logFile = join(place.stateDir, "postgres.log");
  await rotate(logFile);
  const common = { program: programs.postgres, clusterDir: place.clusterDir, host, logFile };
  const deadlineMs = options.startDeadlineMs ?? 30_000;
  const { server, port } = await startOnPort({ ...common, account, port: options.port }, deadlineMs)
    .catch(async (error) => {
      await flushed;
      throw error;
    });
  flushed.then((warning) => warning && options.log?.(warning));
  const stop = async () => {
    await flushed;
    await stopServer(server.pid, server.exited);
  };
  try {
    await recordStarter(place);
    const database = options.database ?? "archipelago";
    const password = await keptPassword(join(place.stateDir, "password"));
    const address = `${common.host.includes(":") ? `[${common.host}]` : common.host}:${port}`;
    await ensureDatabase(`postgres://${SUPERUSER}:${superuserPassword}@${address}/postgres`, database, password);
    return {
      url: `postgres://${database}:${password}@${address}/${database}`,
      host: common.host,
      port,
      pid: server.pid,
      version: source.version,
      clusterDir: place.clusterDir,
      logFile,
      exited: server.exited,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Ends a server that still runs on the data while the program that started it is gone.
 * @throws {EmbeddedPostgresError} when that program is still there
 */
async function endPredecessor(place: Place, log?: (line: string) => void): Promise<void> {
  const file = await readPostmasterFile(place.clusterDir);
  if (file === undefined) return;
  if (!await isServerOf(file.pid, place.clusterDir)) {
    // PostgreSQL clears the file of a dead process itself, with checks of its own. It takes a stranger with the same
    // number for a live server, though.
    if (await markProcess(file.pid) !== undefined) await Deno.remove(join(place.clusterDir, "postmaster.pid"));
    return;
  }
  const starter = await readStarter(place);
  if (starter !== undefined && (await markProcess(starter.pid))?.startTicks === starter.startTicks) {
    throw new EmbeddedPostgresError(
      "already_running",
      `PostgreSQL already runs on ${place.clusterDir} as process ${file.pid}, started by process ${starter.pid}`,
    );
  }
  log?.(`Ending PostgreSQL (process ${file.pid}), which outlived the program that started it`);
  await stopServer(file.pid);
}

async function startOnPort(
  options: ServerOptions,
  deadlineMs: number,
): Promise<{ server: ServerProcess; port: number }> {
  for (let attempt = 1;; attempt++) {
    const port = requireFreePort(options.host, options.port);
    try {
      return { server: await startOnce({ ...options, port }, deadlineMs), port };
    } catch (error) {
      const taken = error instanceof EmbeddedPostgresError && error.fault === "port_taken";
      if (!taken || options.port !== 0 || attempt === FREE_PORT_ATTEMPTS) throw error;
    }
  }
}

async function startOnce(options: ServerOptions, deadlineMs: number): Promise<ServerProcess> {
  const patience = performance.now() + ORPHAN_PATIENCE_MS;
  for (;;) {
    const server = await spawnServer(options);
    try {
      await waitUntilReady(server, options, deadlineMs);
      return server;
    } catch (error) {
      const orphans = error instanceof EmbeddedPostgresError &&
        /shared memory block .*still in use/.test(error.message);
      if (!orphans || performance.now() > patience) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Returns the port, or a free one for 0. @throws {EmbeddedPostgresError} when it is taken */
function requireFreePort(hostname: string, port: number): number {
  try {
    using listener = Deno.listen({ hostname, port });
    return listener.addr.port;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw portTaken(hostname, port);
    throw error;
  }
}

/** Makes the role and the database when missing, and gives the role the password of the file. */
async function ensureDatabase(superuserUrl: string, name: string, password: string): Promise<void> {
  const database = await openDatabase(superuserUrl, { maxConnections: 1, applicationName: "archipelago-up" });
  try {
    const role = identifier(name);
    // A statement of this kind takes no parameters; the password is of our own making and has no quote in it.
    const secret = new SqlFragment([`'${password}'`], []);
    const roles = await database.query`select 1 from pg_roles where rolname = ${name}`;
    if (roles.length === 0) await database.query`create role ${role} login password ${secret}`;
    else await database.query`alter role ${role} login password ${secret}`;
    const databases = await database.query`select 1 from pg_database where datname = ${name}`;
    if (databases.length === 0) await database.query`create database ${role} owner ${role}`;
  } finally {
    await database.close();
  }
}

/** Reads a password file, or makes it with a random password of 192 bits. */
async function keptPassword(path: string): Promise<string> {
  const kept = await Deno.readTextFile(path).catch(() => "");
  if (/^[A-Za-z0-9_-]+$/.test(kept.trim())) return kept.trim();
  const password = crypto.getRandomValues(new Uint8Array(24)).toBase64({ alphabet: "base64url" });
  await Deno.writeTextFile(path, `${password}\n`, { mode: 0o600 });
  return password;
}

async function rotate(logFile: string): Promise<void> {
  const info = await Deno.stat(logFile).catch(() => undefined);
  if (info !== undefined && info.size > MAX_LOG_BYTES) await Deno.rename(logFile, `${logFile}.1`);
}

async function recordStarter(place: Place): Promise<void> {
  await Deno.writeTextFile(join(place.stateDir, "starter.json"), JSON.stringify(await markProcess(Deno.pid)));
}

async function readStarter(place: Place): Promise<ProcessMark | undefined> {
  const text = await Deno.readTextFile(join(place.stateDir, "starter.json")).catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text) as ProcessMark;
}
