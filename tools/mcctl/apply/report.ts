import { stringify } from "yaml";
import type { Flags } from "../flags.ts";
import type { Io } from "../io.ts";
import type { Applied, Outcome } from "./apply.ts";

/** Tells people, or programs, how objects came out. */
export interface Report {
  done(applied: Applied): void;
  progress(name: string, line: string): void;
  /** Says how it went in all. Returns whether nothing failed. */
  end(): boolean;
}

const OUTCOMES: readonly Outcome[] = ["created", "updated", "deleted", "unchanged", "failed"];

/** Lines as things happen for people; with `--output json` or `yaml` one list at the end. */
export function createReport(io: Io, flags: Flags): Report {
  const applied: Applied[] = [];
  const asData = flags.output !== undefined && flags.output !== "table";
  return {
    done(each) {
      applied.push(each);
      if (!asData) io.out(`${lineOf(each)}\n`);
    },
    progress(name, line) {
      if (!asData) io.out(`           ${name}: ${line}\n`);
    },
    end() {
      if (asData) io.out(rendered(applied, flags.output!));
      else io.out(`${summary(applied, flags.dryRun)}\n`);
      return applied.every(({ outcome }) => outcome !== "failed");
    },
  };
}

function lineOf({ outcome, kind, key, fields, message }: Applied): string {
  const detail = outcome === "failed" ? `: ${message}` : fields === undefined ? "" : ` (${fields.join(", ")})`;
  return `${outcome.padEnd(10)} ${kind} ${key}${detail}`;
}

function summary(applied: readonly Applied[], dryRun: boolean): string {
  const counts = OUTCOMES.map((outcome) =>
    [outcome, applied.filter((each) => each.outcome === outcome).length] as const
  );
  const text = counts.filter(([, count]) => count > 0).map(([outcome, count]) => `${count} ${outcome}`).join(", ");
  return dryRun ? `Dry run, nothing was changed; it would be: ${text}` : text;
}

function rendered(applied: readonly Applied[], format: string): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(applied, null, 2)}\n`;
    case "json-compact":
      return applied.map((each) => `${JSON.stringify(each)}\n`).join("");
    default:
      return stringify(applied);
  }
}
