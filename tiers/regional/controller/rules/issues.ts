import type { Issue } from "../../../../shared/schema/mod.ts";

const SHOWN_CHARACTERS = 64;

/** Collects the faults of one request, so that all are reported together. */
export class Issues {
  readonly list: Issue[] = [];

  /** Notes a fault of the field at a JSON path. */
  add(path: string, value: unknown, rule: string): void {
    this.list.push({ path, value: shown(value), rule });
  }

  /** Notes a fault unless `sound`. */
  check(sound: boolean, path: string, value: unknown, rule: string): void {
    if (!sound) this.add(path, value, rule);
  }
}

function shown(value: unknown): string {
  if (value === undefined || value === "") return "";
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
