import { type OperationContext, PlatformError, throwIfEnded } from "../../shared/platform/mod.ts";
import type { Clock } from "../../shared/runtime/mod.ts";
import type { StepName } from "./meta.ts";

/** Steps that are made to fail or stand still, each for keys that hold a text. */
type Choice = readonly { readonly step: string; readonly text: string }[];

/** Plays the steps of operations: tells of them, takes its time, and fails or stands still where that is wanted. */
export class Steps {
  readonly #clock: Clock;
  readonly #fail: Choice;
  readonly #stall: Choice;
  readonly #delayMs: number;

  constructor(clock: Clock, { fail, stall, delayMs }: { fail: string; stall: string; delayMs: number }) {
    this.#clock = clock;
    this.#fail = parse(fail);
    this.#stall = parse(stall);
    this.#delayMs = delayMs;
  }

  /** Plays a step with its lines of progress, each as [task, step of the task]. */
  async play(
    step: StepName,
    key: string,
    operation: OperationContext,
    lines: readonly (readonly [task: string, step?: string])[],
  ): Promise<void> {
    throwIfEnded(operation, this.#clock.now());
    for (const line of lines) {
      operation.progress(...line);
      if (this.#delayMs > 0) await this.#clock.sleep(this.#delayMs, operation.signal);
      throwIfEnded(operation, this.#clock.now());
    }
    if (holds(this.#stall, step, key)) await standStill(operation.signal);
    if (holds(this.#fail, step, key)) {
      throw new PlatformError("Inconsistent", `Step ${step} failed, as FAKE_FAIL wants`);
    }
  }
}

function parse(text: string): Choice {
  return text.split(",").filter((part) => part !== "").map((part) => {
    const at = part.indexOf(":");
    return at < 0 ? { step: part, text: "" } : { step: part.slice(0, at), text: part.slice(at + 1) };
  });
}

function holds(choice: Choice, step: string, key: string): boolean {
  return choice.some((each) => each.step === step && key.includes(each.text));
}

function standStill(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
