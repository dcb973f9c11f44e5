import type { TextSink } from "../../shared/runtime/mod.ts";

/** A list of steps that turn green, for people who watch. */
export interface Progress {
  /** Runs a step; its line shows how it goes, and why it failed. */
  step<T>(what: string, run: (note: (text: string) => void) => Promise<T>): Promise<T>;
  /** Prints a line below the list. */
  say(text: string): void;
}

interface Line {
  what: string;
  state: "running" | "done" | "failed";
  note: string;
  startedMs: number;
  endedMs?: number;
}

const GREEN = "\x1b[32m";
const RED = "\x1b[31m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";
const CLEAR_LINE = "\x1b[2K";

/** On a terminal the list is redrawn in place; elsewhere each end of a step is a line. */
export function createProgress(out: TextSink, now: () => number): Progress {
  const lines: Line[] = [];
  let drawn = 0;

  function draw(): void {
    if (!out.isTerminal) return;
    const up = drawn > 0 ? `\x1b[${drawn}A` : "";
    out.write(up + lines.map((line) => `${CLEAR_LINE}${text(line, true)}\n`).join(""));
    drawn = lines.length;
  }

  function text(line: Line, colour: boolean): string {
    const mark = { running: "…", done: "✓", failed: "✗" }[line.state];
    const paint = line.state === "done" ? GREEN : line.state === "failed" ? RED : DIM;
    const seconds = ((line.endedMs ?? now()) - line.startedMs) / 1_000;
    const time = line.state === "running" ? "" : `  ${seconds.toFixed(1)} s`;
    const note = line.note === "" ? "" : `  ${line.note}`;
    return colour
      ? `${paint}${mark}${RESET} ${line.what}${DIM}${note}${time}${RESET}`
      : `${mark} ${line.what}${note}${time}`;
  }

  return {
    async step(what, run) {
      const line: Line = { what, state: "running", note: "", startedMs: now() };
      lines.push(line);
      draw();
      try {
        const value = await run((note) => {
          line.note = note;
          draw();
        });
        line.state = "done";
        return value;
      } catch (error) {
        line.state = "failed";
        throw error;
      } finally {
        line.endedMs = now();
        if (out.isTerminal) draw();
        else out.write(`${text(line, false)}\n`);
      }
    },
    say(message) {
      drawn = 0;
      lines.length = 0;
      out.write(`${message}\n`);
    },
  };
}
