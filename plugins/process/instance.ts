import type {
  Clock,
  ExitStatus,
  Files,
  Processes,
  RandomSource,
  RunningProcess,
  Timer,
} from "../../shared/runtime/mod.ts";
import type { AppStatus, PlatformLog, RunState } from "../../shared/platform/mod.ts";
import { boundLog, readTail } from "./bounded_log.ts";
import type { SignalForeign } from "./foreign_process.ts";
import type { ProcessTable } from "./process_table.ts";
import type { InstanceFolder, InstanceRecord } from "./record.ts";
import type { Sandbox } from "./sandbox.ts";

/** A start that lasts this long makes the next pause short again. */
const STABLE_AFTER_MS = 60_000;
const MAX_RESTART_DELAY_MS = 60_000;
/** How often a process that is not our child is looked at. */
const ADOPTED_LOOK_MS = 1000;
/** Time for an app to end by itself before it is killed. */
const STOP_GRACE_MS = 5000;
const STOP_LOOK_MS = 50;
const REASON_LOG_BYTES = 2000;
const REASON_CHARACTERS = 300;

/** What an instance works with. */
export interface InstanceDeps {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly files: Files;
  readonly processes: Processes;
  readonly table: ProcessTable;
  readonly signalForeign: SignalForeign;
  readonly runtime: string;
  readonly log: PlatformLog;
  readonly restartDelayMs: number;
  /** Called whenever the state may have changed. */
  readonly changed: (key: string) => void;
}

/**
 * One instance and its process. States: `stopped` (nothing runs and nothing will), `running`, `restarting` (it died; the
 * next start is due). A process started by an earlier run of the resource manager is adopted and looked at regularly,
 * as its end is not reported to us.
 */
export class Instance {
  readonly record: InstanceRecord;
  readonly folder: InstanceFolder;
  readonly #deps: InstanceDeps;
  readonly #sandbox: Sandbox;
  #state: RunState = "stopped";
  #pid: number | undefined;
  #child: RunningProcess | undefined;
  #timer: Timer | undefined;
  #startedAt = 0;
  #failures = 0;
  #reason: string | undefined;
  #endLog: (() => void) | undefined;

  constructor(record: InstanceRecord, folder: InstanceFolder, sandbox: Sandbox, deps: InstanceDeps) {
    this.record = record;
    this.folder = folder;
    this.#sandbox = sandbox;
    this.#deps = deps;
  }

  /** State, process and, when it does not run, why. */
  get status(): AppStatus {
    const { ports } = this.record.spec;
    return {
      state: this.#state,
      runtimeIds: this.#pid === undefined ? [] : [`pid ${this.#pid}`],
      probes: ports.filter((port) => port.protocol === "tcp").map((port) => ({
        protocol: "tcp",
        hostname: "127.0.0.1",
        port: port.publicPort,
        proxied: false,
      })),
      reason: this.#reason,
    };
  }

  /** Starts the process now. Its end leads to another start, after a pause. */
  start(): void {
    this.#timer?.cancel();
    this.#endLog ??= boundLog(this.folder.log, this.#deps.files, this.#deps.clock);
    let child: RunningProcess;
    try {
      child = this.#deps.processes.spawn({
        command: this.#deps.runtime,
        args: this.#sandbox.args,
        env: this.#sandbox.env,
        clearEnv: true,
        cwd: this.folder.scratch,
        detached: true,
        output: { file: this.folder.log, mode: 0o600 },
      });
    } catch (error) {
      this.#died(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#child = child;
    this.#running(child.pid);
    child.exited.then(async (status) => {
      // a stop, or another start, came first
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#died(`${exitText(status)}${await this.#lastLines()}`);
    });
  }

  /** Takes over a process that an earlier run of the resource manager started. */
  adopt(pid: number): void {
    this.#endLog ??= boundLog(this.folder.log, this.#deps.files, this.#deps.clock);
    this.#running(pid);
    this.#watchAdopted(pid);
  }

  /** Ends the process, kindly first, and every other one that works in the instance's folder. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#endLog?.();
    this.#endLog = undefined;
    const child = this.#child;
    this.#child = undefined;
    this.#state = "stopped";
    this.#pid = undefined;
    if (child) {
      child.kill("SIGTERM");
      using _timer = this.#deps.clock.setTimer(() => child.kill("SIGKILL"), STOP_GRACE_MS);
      await child.exited;
    }
    await stopAllIn(this.folder.path, this.#deps);
    this.#deps.changed(this.record.spec.key);
  }

  /** Stops looking after the process and leaves it running. */
  release(): void {
    this.#timer?.cancel();
    this.#endLog?.();
    this.#endLog = undefined;
    this.#child = undefined;
  }

  #running(pid: number): void {
    this.#pid = pid;
    this.#state = "running";
    this.#reason = undefined;
    this.#startedAt = this.#deps.clock.monotonic();
    this.#deps.changed(this.record.spec.key);
  }

  #watchAdopted(pid: number): void {
    this.#timer = this.#deps.clock.setTimer(async () => {
      const alive = await this.#deps.table.worksIn(pid, this.folder.path);
      if (this.#pid !== pid) return;
      if (alive) this.#watchAdopted(pid);
      else this.#died(`The process ended${await this.#lastLines()}`);
    }, ADOPTED_LOOK_MS);
  }

  #died(reason: string): void {
    const { clock, random, log, restartDelayMs, changed } = this.#deps;
    if (clock.monotonic() - this.#startedAt >= STABLE_AFTER_MS) this.#failures = 0;
    const full = Math.min(MAX_RESTART_DELAY_MS, restartDelayMs * 2 ** Math.min(this.#failures, 16));
    // a fifth of jitter keeps many instances that died together apart
    const delayMs = Math.round(full * (0.9 + 0.2 * random.number()));
    this.#failures++;
    this.#pid = undefined;
    this.#state = "restarting";
    this.#reason = reason;
    log.warn("An app died and will be started again", { app: this.record.spec.id, reason, delayMs });
    this.#timer = clock.setTimer(() => this.start(), delayMs);
    changed(this.record.spec.key);
  }

  async #lastLines(): Promise<string> {
    try {
      const text = new TextDecoder().decode(await readTail(this.folder.log, REASON_LOG_BYTES)).trim();
      const lines = text.split("\n").filter((line) => !/^\s+at /.test(line)).slice(-3).join(" | ");
      return lines === "" ? "" : `; its last lines: ${lines.slice(-REASON_CHARACTERS)}`;
    } catch {
      return "";
    }
  }
}

/** Ends every process that works in a folder, kindly first; returns when none is left. */
export async function stopAllIn(
  folder: string,
  { table, signalForeign, clock }: Pick<InstanceDeps, "table" | "signalForeign" | "clock">,
): Promise<void> {
  const left = async () => [...(await table.below(folder)).values()].flat();
  const waitGone = async (untilMs: number) => {
    let pids = await left();
    while (pids.length > 0 && clock.monotonic() < untilMs) {
      await clock.sleep(STOP_LOOK_MS);
      pids = await left();
    }
    return pids;
  };
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const pids = signal === "SIGTERM" ? await left() : await waitGone(clock.monotonic() + STOP_GRACE_MS);
    if (pids.length === 0) return;
    await Promise.all(pids.map((pid) => signalForeign(pid, folder, signal)));
  }
  await waitGone(clock.monotonic() + STOP_GRACE_MS);
}

function exitText(status: ExitStatus): string {
  if (status.signal !== null) return `The process was ended by ${status.signal}`;
  return status.code === null ? "The process could not be started" : `The process ended with code ${status.code}`;
}
