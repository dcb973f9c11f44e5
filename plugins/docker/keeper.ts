import type { Clock, RandomSource, Timer } from "../../shared/runtime/mod.ts";
import type { PlatformLog } from "../../shared/platform/mod.ts";
import { listContainers, type SiteContainer } from "./containers.ts";
import type { Engine } from "./engine.ts";
import type { Site } from "./labels.ts";

const LOOK_INTERVAL_MS = 1000;
const MAX_RESTART_DELAY_MS = 60_000;
/** A container that ran for this long starts quickly again after its next end. */
const STABLE_AFTER_MS = 60_000;

/** What the keeper works with. */
export interface KeeperDeps {
  readonly engine: Engine;
  readonly site: Site;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: PlatformLog;
  readonly restartDelayMs: number;
  /** Called with the key of an instance whose state changed. */
  readonly changed: (key: string) => void;
}

interface Kept {
  state: string;
  failures: number;
  runningSince: number;
  startAt: number | undefined;
}

/**
 * Looks at the site's containers again and again, reports changes, and starts those that the engine does not start by
 * itself: it leaves alone what was ended through its interface, and what was running before a crash of its own.
 */
export class Keeper {
  readonly #deps: KeeperDeps;
  readonly #kept = new Map<string, Kept>();
  /** Keys of instances that are being made or removed. */
  readonly #held = new Set<string>();
  #timer: Timer | undefined;
  #closed = false;
  #reachable = true;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  /** Begins; the first look is done when the promise settles. */
  async start(): Promise<void> {
    await this.#look();
    this.#again();
  }

  /** Leaves an instance alone while `body` works on it. */
  async hold<T>(key: string, body: () => Promise<T>): Promise<T> {
    this.#held.add(key);
    try {
      return await body();
    } finally {
      this.#held.delete(key);
      this.#deps.changed(key);
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #again(): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.setTimer(() => {
      this.#lookSafely().then(() => this.#again());
    }, LOOK_INTERVAL_MS);
  }

  async #lookSafely(): Promise<void> {
    try {
      await this.#look();
      if (!this.#reachable) this.#deps.log.info("The Docker Engine answers again");
      this.#reachable = true;
    } catch (error) {
      if (this.#reachable) this.#deps.log.warn("The Docker Engine does not answer", { error: String(error) });
      this.#reachable = false;
    }
  }

  async #look(): Promise<void> {
    const { engine, site, clock, changed } = this.#deps;
    const containers = await listContainers(engine, site);
    const now = clock.monotonic();
    for (const container of containers) {
      const { key } = container.ref;
      const kept = this.#kept.get(container.id) ??
        { state: "", failures: 0, runningSince: now, startAt: undefined };
      this.#kept.set(container.id, kept);
      const before = kept.state;
      kept.state = container.state;
      if (before !== container.state) {
        if (container.state === "running") kept.runningSince = now;
        if (before !== "" || container.state !== "running") changed(key);
      }
      if (container.state === "restarting" && !this.#held.has(key)) await this.#startWhenDue(container, kept, now);
    }
    const present = new Set(containers.map(({ id }) => id));
    for (const id of this.#kept.keys()) if (!present.has(id)) this.#kept.delete(id);
  }

  async #startWhenDue(container: SiteContainer, kept: Kept, now: number): Promise<void> {
    const { engine, random, restartDelayMs, log } = this.#deps;
    if (kept.startAt === undefined) {
      if (now - kept.runningSince >= STABLE_AFTER_MS) kept.failures = 0;
      const full = Math.min(MAX_RESTART_DELAY_MS, restartDelayMs * 2 ** Math.min(kept.failures, 16));
      kept.startAt = now + full * (0.9 + 0.2 * random.number());
      kept.failures++;
      return;
    }
    if (now < kept.startAt) return;
    kept.startAt = undefined;
    log.warn("A container does not run and is started again", { container: container.ref.id, was: container.text });
    try {
      await engine.call({ method: "POST", path: `/containers/${container.id}/start` });
    } catch (error) {
      log.warn("The container cannot be started", { container: container.ref.id, error: String(error) });
    }
  }
}
