import type { Clock, Timer } from "../../../shared/runtime/mod.ts";
import { type AppStatus, probe } from "../../../shared/platform/mod.ts";
import { dme } from "../../../shared/schema/mod.ts";

const PROBE_TIMEOUT_MS = 1000;
/** Failed looks in a row after which a running instance counts as not answering. */
const UNHEALTHY_AFTER = 2;

/** What a look at an instance found. */
export interface HealthReport {
  readonly health: dme.HealthCheck;
  readonly status: AppStatus;
}

/** What the monitor works with. */
export interface HealthMonitorOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Keys of the instances to look at. */
  readonly keys: () => readonly string[];
  /** State of an instance; rejects when it cannot be told now. */
  readonly status: (key: string) => Promise<AppStatus>;
  readonly report: (key: string, report: HealthReport) => void;
}

/** Looks at all instances again and again, and at one when it is told that it changed. */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  readonly #failures = new Map<string, number>();
  readonly #looking = new Map<string, { again: boolean }>();
  #timer: Timer | undefined;
  #running = false;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.#round();
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
    this.#failures.clear();
  }

  /** Looks at an instance now. */
  look(key: string): void {
    const looking = this.#looking.get(key);
    if (looking) looking.again = true;
    else this.#look(key);
  }

  #round(): void {
    if (!this.#running) return;
    const keys = this.#options.keys();
    for (const key of keys) this.look(key);
    for (const key of this.#failures.keys()) if (!keys.includes(key)) this.#failures.delete(key);
    this.#timer = this.#options.clock.setTimer(() => this.#round(), this.#options.intervalMs);
  }

  async #look(key: string): Promise<void> {
    const looking = { again: true };
    this.#looking.set(key, looking);
    while (looking.again && this.#running) {
      looking.again = false;
      try {
        const status = await this.#options.status(key);
        const health = await this.#healthOf(key, status);
        if (this.#running && this.#options.keys().includes(key)) this.#options.report(key, { health, status });
      } catch {
        // the infrastructure cannot be asked: what was last known of the instance still holds
      }
    }
    this.#looking.delete(key);
  }

  async #healthOf(key: string, status: AppStatus): Promise<dme.HealthCheck> {
    const failures = await this.#failuresOf(key, status);
    this.#failures.set(key, failures);
    return failures >= UNHEALTHY_AFTER ? dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL : dme.HealthCheck.HEALTH_CHECK_OK;
  }

  async #failuresOf(key: string, { state, probes }: AppStatus): Promise<number> {
    // what does not run is known not to answer
    if (state !== "running") return UNHEALTHY_AFTER;
    const answers = await Promise.all(probes.map((target) => probe(target, PROBE_TIMEOUT_MS)));
    return answers.some((failure) => failure !== undefined) ? (this.#failures.get(key) ?? 0) + 1 : 0;
  }
}
