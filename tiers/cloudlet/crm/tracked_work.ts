import type { Clock, Timer } from "../../../shared/runtime/mod.ts";
import type { OperationContext } from "../../../shared/platform/mod.ts";
import { PlatformError } from "../../../shared/platform/mod.ts";
import { enumName, type StatusInfo, type Timestamp, TrackedState } from "../../../shared/schema/mod.ts";
import { type Logger, runWithTraceparent, withSpan } from "../../../shared/telemetry/mod.ts";
import { KeyWorkers } from "./key_workers.ts";
import { ProgressReport } from "./progress.ts";

const MAX_RETRY_DELAY_MS = 60_000;

/** What the state machine reads of an object. */
export interface Tracked {
  readonly state: TrackedState;
  readonly createdAt: Timestamp | undefined;
  readonly updatedAt: Timestamp | undefined;
}

/** What is reported of an object. */
export interface TrackedReport {
  readonly state: TrackedState;
  readonly errors: readonly string[];
  readonly status: StatusInfo | undefined;
}

/** What the state machine does with one kind of object. Failures are thrown. */
export interface TrackedActions<T> {
  /** The object as the controller has it; undefined: it has none. */
  object(key: string): T | undefined;
  create(key: string, object: T, operation: OperationContext): Promise<void>;
  update(key: string, object: T, operation: OperationContext): Promise<void>;
  /** Removes what belongs to a key, whose object may be gone. */
  delete(key: string, operation: OperationContext): Promise<void>;
  /** What there is of a ready object at the start of this process, before it is made sure of. */
  found(key: string, object: T): Promise<void>;
  report(key: string, report: TrackedReport): void;
  /** Takes the report back. */
  retract(key: string): void;
}

/** What the state machine works with. */
export interface TrackedWorkOptions {
  /** Word for people, e.g. "app instance". */
  readonly noun: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly createTimeoutMs: number;
  readonly deleteTimeoutMs: number;
  readonly retryDelayMs: number;
  readonly count: (action: string, outcome: string) => void;
}

/** What this process did and said last about an object. */
interface Known {
  /** Tells an object from a later one of the same key. */
  readonly birth: string;
  state: TrackedState;
  /** The request that was answered last. */
  request: string;
  /** The infrastructure has to be made sure of again. */
  verify: boolean;
  failures: number;
}

/**
 * The states of one kind of object (controller specification 5.1): requests are carried out and answered, also those
 * that an earlier process left unanswered, as actions are repeatable. What was ready before this process started is
 * adopted, or made again where the infrastructure lacks it.
 */
export class TrackedWork<T extends Tracked> {
  readonly #options: TrackedWorkOptions;
  readonly #actions: TrackedActions<T>;
  readonly #workers = new KeyWorkers((key) => this.#work(key));
  readonly #known = new Map<string, Known>();
  readonly #running = new Map<string, { control: AbortController; action: "deploy" | "delete" }>();
  readonly #traces = new Map<string, string>();
  readonly #timers = new Map<string, Timer>();
  #stopped = new AbortController();

  constructor(actions: TrackedActions<T>, options: TrackedWorkOptions) {
    this.#actions = actions;
    this.#options = options;
  }

  /** The object of a key changed, came or went. */
  changed(key: string, traceparent?: string): void {
    if (traceparent) this.#traces.set(key, traceparent);
    const running = this.#running.get(key);
    const state = this.#actions.object(key)?.state;
    const going = state === undefined || state === TrackedState.DELETE_REQUESTED || state === TrackedState.DELETING;
    if (running?.action === "deploy" && going) {
      running.control.abort(new PlatformError("Transient", "It is being deleted"));
    }
    this.#workers.ask(key);
  }

  /** The infrastructure lost what a ready object stands for. */
  lost(key: string): void {
    const known = this.#known.get(key);
    if (known?.state !== TrackedState.READY || this.#workers.isRunning(key)) return;
    known.verify = true;
    this.#workers.ask(key);
  }

  /** State that was reported last; undefined: nothing was. */
  stateOf(key: string): TrackedState | undefined {
    return this.#known.get(key)?.state;
  }

  /** Keys that are ready and not being worked on. */
  settledKeys(): string[] {
    return [...this.#known].filter(([key, { state }]) => state === TrackedState.READY && !this.#workers.isRunning(key))
      .map(([key]) => key);
  }

  /** Keys that are being worked on. */
  get active(): number {
    return this.#workers.active;
  }

  start(): void {
    this.#stopped = new AbortController();
    this.#workers.resume();
  }

  /** Gives up what runs, without a report, and waits until nothing does. What was known is forgotten. */
  async stop(): Promise<void> {
    this.#stopped.abort(new PlatformError("Transient", "The resource manager is ending"));
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    await this.#workers.pause();
    this.#known.clear();
  }

  async #work(key: string): Promise<void> {
    const traceparent = this.#traces.get(key);
    this.#traces.delete(key);
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
    try {
      await runWithTraceparent(traceparent, () => this.#decide(key));
    } catch (error) {
      // nothing of an object may stop the others; the next change tries again
      this.#options.log.error("Work on an object broke off", { key, error });
    }
  }

  async #decide(key: string): Promise<void> {
    const object = this.#actions.object(key);
    if (!object) return await this.#gone(key);
    const birth = momentText(object.createdAt);
    let known = this.#known.get(key);
    if (known && known.birth !== birth) {
      // another object under the same key: what there is belongs to the earlier one
      await this.#gone(key);
      known = undefined;
    }
    switch (object.state) {
      case TrackedState.CREATE_REQUESTED:
      case TrackedState.CREATING:
        if (!known) await this.#deploy(key, object, "create");
        return;
      case TrackedState.UPDATE_REQUESTED:
      case TrackedState.UPDATING: {
        const request = `update ${momentText(object.updatedAt)}`;
        if (known && (object.state === TrackedState.UPDATING || known.request === request)) return;
        return await this.#deploy(key, object, "update", request);
      }
      case TrackedState.READY:
        // READY after an error: the region took its request back, and what there was has to serve on
        if (!known || isError(known.state)) await this.#adopt(key, object, birth);
        else if (known.verify) await this.#ensure(key, object, known);
        return;
      case TrackedState.DELETE_REQUESTED:
      case TrackedState.DELETING:
        if (known?.state === TrackedState.DELETE_DONE) return;
        if (known?.state === TrackedState.DELETE_ERROR && object.state === TrackedState.DELETING) return;
        return await this.#delete(key, birth);
      default:
        // errors wait for the user; the rest is the controller's business
        return;
    }
  }

  async #deploy(key: string, object: T, action: "create" | "update", request: string = action): Promise<void> {
    const [during, failed] = action === "create"
      ? [TrackedState.CREATING, TrackedState.CREATE_ERROR]
      : [TrackedState.UPDATING, TrackedState.UPDATE_ERROR];
    const error = await this.#perform(
      key,
      action,
      during,
      (operation) => this.#actions[action](key, object, operation),
    );
    if (this.#stopped.signal.aborted) return;
    const state = error ? failed : TrackedState.READY;
    this.#known.set(key, { birth: momentText(object.createdAt), state, request, verify: false, failures: 0 });
    this.#actions.report(key, { state, errors: error ? [error.message] : [], status: undefined });
  }

  async #adopt(key: string, object: T, birth: string): Promise<void> {
    const known: Known = { birth, state: TrackedState.READY, request: "", verify: true, failures: 0 };
    await this.#actions.found(key, object);
    this.#known.set(key, known);
    this.#actions.report(key, { state: TrackedState.READY, errors: [], status: undefined });
    await this.#ensure(key, object, known);
  }

  async #ensure(key: string, object: T, known: Known): Promise<void> {
    const error = await this.#perform(
      key,
      "verify",
      undefined,
      (operation) => this.#actions.create(key, object, operation),
    );
    if (this.#stopped.signal.aborted) return;
    if (!error) {
      known.verify = false;
      known.failures = 0;
      this.#actions.report(key, { state: TrackedState.READY, errors: [], status: undefined });
    } else this.#tryAgain(key, known.failures++);
  }

  async #delete(key: string, birth: string): Promise<void> {
    const error = await this.#perform(
      key,
      "delete",
      TrackedState.DELETING,
      (operation) => this.#actions.delete(key, operation),
    );
    if (this.#stopped.signal.aborted) return;
    const state = error ? TrackedState.DELETE_ERROR : TrackedState.DELETE_DONE;
    this.#known.set(key, { birth, state, request: "delete", verify: false, failures: 0 });
    this.#actions.report(key, { state, errors: error ? [error.message] : [], status: undefined });
  }

  /** The object is gone: so must be what it stood for. */
  async #gone(key: string): Promise<void> {
    const known = this.#known.get(key);
    if (!known) return;
    if (known.state !== TrackedState.DELETE_DONE) {
      const error = await this.#perform(key, "remove", undefined, (operation) => this.#actions.delete(key, operation));
      if (this.#stopped.signal.aborted) return;
      if (error) return this.#tryAgain(key, known.failures++);
    }
    this.#known.delete(key);
    this.#actions.retract(key);
  }

  /** Runs an action within its time and reports its progress; returns its failure. */
  async #perform(
    key: string,
    action: string,
    during: TrackedState | undefined,
    body: (operation: OperationContext) => Promise<void>,
  ): Promise<PlatformError | undefined> {
    const { clock, log, noun, createTimeoutMs, deleteTimeoutMs, count } = this.#options;
    const deleting = action === "delete" || action === "remove";
    const control = new AbortController();
    const timeoutMs = deleting ? deleteTimeoutMs : createTimeoutMs;
    using _limit = clock.setTimer(() => control.abort(timeOver(timeoutMs)), timeoutMs);
    const report = (status: StatusInfo | undefined) => {
      if (during !== undefined) this.#actions.report(key, { state: during, errors: [], status });
    };
    const progress = new ProgressReport(report);
    report(undefined);
    this.#running.set(key, { control, action: deleting ? "delete" : "deploy" });
    const startMs = clock.monotonic();
    const fields = { key, action };
    try {
      await withSpan(`crm ${action} ${noun}`, { key }, () =>
        body({
          deadline: clock.now() + timeoutMs,
          signal: AbortSignal.any([control.signal, this.#stopped.signal]),
          progress: (task, step) => progress.report(task, step),
        }));
      count(action, "done");
      log.info(`${noun} done`, { ...fields, durationMs: Math.round(clock.monotonic() - startMs) });
      return undefined;
    } catch (error) {
      const failure = PlatformError.from(error);
      count(action, "failed");
      const state = during === undefined ? {} : { state: enumName(TrackedState, during) ?? "" };
      log.warn(`${noun} failed`, { ...fields, ...state, fault: failure.fault, error: failure.message });
      return failure;
    } finally {
      this.#running.delete(key);
    }
  }

  #tryAgain(key: string, failures: number): void {
    const { clock, retryDelayMs } = this.#options;
    const delayMs = Math.min(MAX_RETRY_DELAY_MS, retryDelayMs * 2 ** Math.min(failures, 16));
    this.#timers.set(key, clock.setTimer(() => this.#workers.ask(key), delayMs));
  }
}

function timeOver(timeoutMs: number): PlatformError {
  return new PlatformError("Transient", `Not done within ${Math.round(timeoutMs / 1000)} s`);
}

function isError(state: TrackedState): boolean {
  return state === TrackedState.CREATE_ERROR || state === TrackedState.UPDATE_ERROR ||
    state === TrackedState.DELETE_ERROR;
}

function momentText(moment: Timestamp | undefined): string {
  return moment ? `${moment.seconds}.${moment.nanos}` : "";
}
