import type { Clock } from "../runtime/mod.ts";
import { redactText } from "../telemetry/mod.ts";
import type { ServiceContext } from "./context.ts";

type Check = Parameters<ServiceContext<unknown>["onReadyCheck"]>[1];

/** Whether a process is ready, and the word of each check: `ok` or why not. */
export interface ReadyState {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

/** A check that takes longer counts as failed. */
const CHECK_TIMEOUT_MS = 5_000;

/** The conditions under which a process is ready. */
export class ReadyChecks {
  readonly #checks = new Map<string, Check>();
  readonly #clock: Clock;
  #started = false;
  #draining = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(name: string, check: Check): void {
    this.#checks.set(name, check);
  }

  markStarted(): void {
    this.#started = true;
  }

  markDraining(): void {
    this.#draining = true;
  }

  async run(): Promise<ReadyState> {
    const checks: Record<string, string> = {};
    await Promise.all([...this.#checks].map(async ([name, check]) => checks[name] = await this.#ask(check)));
    if (!this.#started) checks.start = "still starting";
    if (this.#draining) checks.drain = "draining";
    return { ready: Object.values(checks).every((word) => word === "ok"), checks };
  }

  async #ask(check: Check): Promise<string> {
    const done = new AbortController();
    try {
      const late = this.#clock.sleep(CHECK_TIMEOUT_MS, done.signal).then(() => "no answer in time", () => "ok");
      return redactText(await Promise.race([Promise.resolve(check()), late]) ?? "ok");
    } catch (error) {
      return redactText(error instanceof Error ? error.message : String(error)) || "failed";
    } finally {
      done.abort();
    }
  }
}
