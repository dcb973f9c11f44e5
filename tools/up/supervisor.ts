import type { Clock, Processes, RunningProcess } from "../../shared/runtime/mod.ts";
import type { Logger } from "../../shared/telemetry/mod.ts";
import { UpError } from "./failure.ts";

/** A process of the platform and how it is run. */
export interface ServiceSpec {
  readonly name: string;
  readonly type: string;
  readonly region?: string;
  readonly cloudlet?: string;
  readonly permissionSet: string;
  /** Arguments of the runtime, permissions, program and flags. */
  readonly args: readonly string[];
  /** Log file, appended to by the process itself. */
  readonly log: string;
}

/** A process that is kept running. */
export interface Service {
  readonly spec: ServiceSpec;
  /** Process id; 0 before the first start. */
  readonly pid: number;
  /** Where it listens, by name, and its admin address; known once it was ready. */
  readonly urls: Readonly<Record<string, string>>;
  /** Settles when it has said for the first time that it is ready; rejects when it ended before, with why. */
  readonly ready: Promise<void>;
  /** Asks it to end, cuts it after the grace time, and starts it no more. */
  stop(): Promise<void>;
}

/** What the supervisor runs on. */
export interface SupervisorDeps {
  readonly processes: Processes;
  readonly clock: Clock;
  readonly log: Logger;
  /** The runtime's executable. */
  readonly runtime: string;
  readonly env: Readonly<Record<string, string>>;
  readonly graceMs: number;
  /** Told when the set of processes has changed, or one is ready. */
  changed(): void;
  /** Told what people should know. */
  say(text: string): void;
}

const FIRST_RESTART_MS = 200;
const LONGEST_RESTART_MS = 30_000;
/** A process that ran so long is healthy: its next end is the first again, ms. */
const HEALTHY_MS = 60_000;
/** Time to end that a process gets beyond its own grace time, ms. */
const GRACE_MARGIN_MS = 2_000;
const LOG_POLL_MS = 25;
/** A process that is to be ready by itself must be so by then at its first start, ms. */
const FIRST_READY_LIMIT_MS = 120_000;

/** What a process writes into its log when all its ready checks have passed. */
interface ReadyLine {
  message: "ready";
  pid: number;
  admin: string;
  addresses: Record<string, string>;
}

/** Starts a process and keeps it running: when it ends it is started again, later each time it ends soon. */
export function supervise(spec: ServiceSpec, deps: SupervisorDeps): Service {
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => {});
  let current: RunningProcess | undefined;
  let urls: Record<string, string> = {};
  let delayMs = FIRST_RESTART_MS;
  let stopping = false;
  let everReady = false;
  const ended = Promise.withResolvers<void>();
  const wake = new AbortController();

  function start(): RunningProcess {
    return deps.processes.spawn({
      command: deps.runtime,
      args: spec.args,
      env: deps.env,
      clearEnv: true,
      detached: true,
      stdin: "pipe",
      output: { file: spec.log, mode: 0o600 },
    });
  }

  async function watchReady(process: RunningProcess, from: number): Promise<void> {
    const began = deps.clock.monotonic();
    let gone = false;
    process.exited.then(() => gone = true);
    while (!gone && !stopping) {
      const line = await findReadyLine(spec.log, from, process.pid);
      if (line) {
        urls = { admin: line.admin, ...line.addresses };
        everReady = true;
        first.resolve();
        deps.changed();
        return;
      }
      if (!everReady && deps.clock.monotonic() - began > FIRST_READY_LIMIT_MS) {
        return first.reject(
          new UpError(`${spec.name} is not ready after ${FIRST_READY_LIMIT_MS / 1_000} s; see ${spec.log}`),
        );
      }
      await deps.clock.sleep(LOG_POLL_MS);
    }
  }

  async function run(): Promise<void> {
    for (;;) {
      const from = await sizeOf(spec.log);
      if (stopping) return;
      const began = deps.clock.monotonic();
      const process = current = start();
      deps.changed();
      const reading = watchReady(process, from);
      const status = await process.exited;
      await reading;
      if (stopping) return;
      const why = status.signal ?? `code ${status.code}`;
      if (!everReady) {
        first.reject(new UpError(`${spec.name} ended with ${why}: ${await lastWords(spec.log, from)}`));
        return;
      }
      if (deps.clock.monotonic() - began > HEALTHY_MS) delayMs = FIRST_RESTART_MS;
      deps.log.warn("service ended", { name: spec.name, why, restart_ms: delayMs });
      deps.say(`${spec.name} ended (${why}); starting it again in ${delayMs / 1_000} s`);
      deps.changed();
      await deps.clock.sleep(delayMs, wake.signal).catch(() => {});
      if (stopping) return;
      delayMs = Math.min(delayMs * 2, LONGEST_RESTART_MS);
    }
  }
  run().catch((error) => first.reject(error)).finally(() => ended.resolve());

  return {
    spec,
    get pid() {
      return current?.pid ?? 0;
    },
    get urls() {
      return urls;
    },
    ready: first.promise,
    async stop() {
      stopping = true;
      wake.abort();
      current?.kill("SIGTERM");
      const cut = deps.clock.setTimer(() => current?.killGroup("SIGKILL"), deps.graceMs + GRACE_MARGIN_MS);
      await ended.promise;
      cut.cancel();
      first.reject(new UpError(`${spec.name} was stopped`));
    },
  };
}

async function sizeOf(path: string): Promise<number> {
  return await Deno.stat(path).then((info) => info.size, () => 0);
}

async function readFrom(path: string, from: number): Promise<string> {
  try {
    return new TextDecoder().decode((await Deno.readFile(path)).subarray(from));
  } catch {
    return "";
  }
}

async function findReadyLine(path: string, from: number, pid: number): Promise<ReadyLine | undefined> {
  for (const line of (await readFrom(path, from)).split("\n")) {
    if (!line.includes('"ready"')) continue;
    try {
      const record = JSON.parse(line) as ReadyLine;
      if (record.message === "ready" && record.pid === pid) return record;
    } catch { /* half a line: the next look sees all of it */ }
  }
  return undefined;
}

/** The last line that is no JSON, or the last message: why a process gave up. */
async function lastWords(path: string, from: number): Promise<string> {
  const lines = (await readFrom(path, from)).split("\n").filter((line) => line.trim() !== "");
  const plain = lines.findLast((line) => !line.startsWith("{"));
  return (plain ?? lines.at(-1) ?? `nothing in ${path}`).trim();
}
