import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Account } from "./account.ts";
import { EmbeddedPostgresError } from "./errors.ts";
import { isAlive, readPostmasterFile } from "./postmaster.ts";

/** How a process ended. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A started server process. */
export interface ServerProcess {
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
}

/** How often a condition is looked at again while waiting. */
const POLL_MS = 20;
/** Fast shutdown ends sessions and writes a checkpoint; after this long it counts as stuck. */
const FAST_STOP_MS = 15_000;
/** Immediate shutdown writes nothing; the next start recovers from the log. */
const IMMEDIATE_STOP_MS = 5_000;
/** How much of the end of the log is shown when the server fails. */
const LOG_TAIL_LINES = 8;

/** What the server is started with. */
export interface ServerOptions {
  readonly program: string;
  readonly clusterDir: string;
  readonly host: string;
  readonly port: number;
  readonly logFile: string;
  readonly account: Account | undefined;
}

/**
 * Starts the server in a session of its own, so that Ctrl-C at the terminal does not reach it before the services
 * that use it have been drained.
 */
export async function spawnServer(options: ServerOptions): Promise<ServerProcess> {
  const log = openSync(options.logFile, "a", 0o600);
  try {
    const child = spawn(options.program, serverArguments(options), {
      cwd: options.clusterDir,
      env: { LC_ALL: "C", TZ: "UTC" },
      stdio: ["ignore", log, log],
      detached: true,
      ...(options.account && { uid: options.account.uid, gid: options.account.gid }),
    });
    const exited = new Promise<ExitStatus>((resolve) =>
      child.once("exit", (code, signal) => resolve({ code, signal }))
    );
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", () => resolve());
      child.once("error", reject);
    });
    return { pid: child.pid!, exited };
  } finally {
    closeSync(log);
  }
}

/** Settings for one machine: small memory, loopback only, data safe on a power cut (fsync stays on). */
function serverArguments(options: ServerOptions): string[] {
  const settings: Record<string, string> = {
    listen_addresses: options.host,
    port: String(options.port),
    unix_socket_directories: "",
    max_connections: "60",
    shared_buffers: "16MB",
    wal_level: "minimal",
    max_wal_senders: "0",
    max_logical_replication_workers: "0",
    max_wal_size: "128MB",
    // The three I/O worker processes of version 18 bring nothing at this size.
    io_method: "sync",
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    password_encryption: "scram-sha-256",
  };
  return ["-D", options.clusterDir, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

/**
 * Waits until the server accepts connections.
 * @throws {EmbeddedPostgresError} when it ends before, or takes longer than `deadlineMs`; it is stopped then
 */
export async function waitUntilReady(server: ServerProcess, options: ServerOptions, deadlineMs: number): Promise<void> {
  let exit: ExitStatus | undefined;
  server.exited.then((status) => exit = status);
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const file = await readPostmasterFile(options.clusterDir);
    if (file?.pid === server.pid && file.status === "ready") return;
    if (exit !== undefined) throw await startError(options, `ended with ${exit.code ?? exit.signal}`);
    if (performance.now() > deadline) {
      await stopServer(server.pid, server.exited);
      throw await startError(options, `was not ready within ${deadlineMs} ms`);
    }
    await sleep(POLL_MS);
  }
}

/** Ends a server: fast shutdown, then immediate, then by force. Returns when it is gone. */
export async function stopServer(pid: number, exited: Promise<unknown> = goneByPolling(pid)): Promise<void> {
  const steps = [["SIGINT", FAST_STOP_MS], ["SIGQUIT", IMMEDIATE_STOP_MS], ["SIGKILL", IMMEDIATE_STOP_MS]] as const;
  for (const [signal, patienceMs] of steps) {
    if (!isAlive(pid)) return;
    try {
      Deno.kill(pid, signal);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    const patience = new AbortController();
    const ended = await Promise.race([exited.then(() => true), sleep(patienceMs, patience.signal).then(() => false)]);
    patience.abort();
    if (ended) return;
  }
  throw new EmbeddedPostgresError("start_failed", `PostgreSQL process ${pid} does not end`);
}

async function goneByPolling(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(POLL_MS);
}

async function startError(options: ServerOptions, what: string): Promise<EmbeddedPostgresError> {
  const log = await Deno.readTextFile(options.logFile).catch(() => "");
  const tail = log.trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
  if (/Address already in use/.test(tail)) return portTaken(options.host, options.port);
  return new EmbeddedPostgresError("start_failed", `PostgreSQL ${what}. The end of ${options.logFile}:\n${tail}`);
}

/** The error for a port that somebody else listens on. */
export function portTaken(host: string, port: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError("port_taken", `Port ${port} on ${host}, wanted for PostgreSQL, is taken`);
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
