import type { Clock, Processes } from "../../shared/runtime/mod.ts";
import type { Logger } from "../../shared/telemetry/mod.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./postgres/mod.ts";
import { type Sentinel, watchOver } from "./sentinel.ts";

/** The embedded PostgreSQL, kept running. */
export interface AccountsDatabase {
  readonly url: string;
  readonly pid: number;
  readonly log: string;
  stop(): Promise<void>;
}

const FIRST_RESTART_MS = 200;
const LONGEST_RESTART_MS = 30_000;

/** Starts the embedded PostgreSQL, and again whenever it ends. */
export async function startAccountsDatabase(options: {
  dataDir: string;
  port: number;
  clock: Clock;
  processes: Processes;
  log: Logger;
  changed(): void;
  say(text: string): void;
}): Promise<AccountsDatabase> {
  const { dataDir, port, clock, log } = options;
  const start = () => startEmbeddedPostgres({ dataDir, port, log: (line) => log.info(line, { name: "postgres" }) });
  let current: EmbeddedPostgres = await start();
  let sentinel: Sentinel = watchOver(current.pid, options.processes);
  const stopping = new AbortController();

  async function keep(): Promise<void> {
    let delayMs = FIRST_RESTART_MS;
    while (!stopping.signal.aborted) {
      const status = await current.exited;
      await sentinel.dismiss();
      if (stopping.signal.aborted) return;
      const why = status.signal ?? `code ${status.code}`;
      options.say(`postgres ended (${why}); starting it again in ${delayMs / 1_000} s`);
      await clock.sleep(delayMs, stopping.signal).catch(() => {});
      if (stopping.signal.aborted) return;
      try {
        current = await start();
        sentinel = watchOver(current.pid, options.processes);
        delayMs = FIRST_RESTART_MS;
        options.changed();
      } catch (error) {
        delayMs = Math.min(delayMs * 2, LONGEST_RESTART_MS);
        log.error("postgres not started", { error: error instanceof Error ? error.message : String(error) });
      }
    }
  }
  const kept = keep();
  return {
    get url() {
      return current.url;
    },
    get pid() {
      return current.pid;
    },
    get log() {
      return current.logFile;
    },
    async stop() {
      stopping.abort();
      await current.stop();
      await kept;
      await current.stop();
      await sentinel.dismiss();
    },
  };
}
