import { StatusInfo } from "../../../shared/schema/mod.ts";

/** Lines of one operation that are kept; more than any plugin reports. */
const MAX_LINES = 100;
const MAX_LINE_CHARACTERS = 500;

/** Progress of one operation in the form that the controller reads: numbered tasks, and all lines so far. */
export class ProgressReport {
  #task = "";
  #step = "";
  #tasks = 0;
  #count = 0;
  readonly #lines: string[] = [];
  readonly #changed: (status: StatusInfo) => void;

  constructor(changed: (status: StatusInfo) => void) {
    this.#changed = changed;
  }

  /** A task, or a step inside the task; what was said last is not said again. */
  report(task: string, step = ""): void {
    if (task === this.#task && step === this.#step) return;
    if (task !== this.#task) this.#tasks++;
    this.#task = task;
    this.#step = step;
    this.#count++;
    this.#lines.push((step === "" ? task : `${task}: ${step}`).slice(0, MAX_LINE_CHARACTERS));
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    this.#changed(this.status());
  }

  /** The state now. */
  status(): StatusInfo {
    return StatusInfo.create({
      taskNumber: this.#tasks,
      taskName: this.#task,
      stepName: this.#step,
      msgCount: this.#count,
      msgs: [...this.#lines],
    });
  }
}
