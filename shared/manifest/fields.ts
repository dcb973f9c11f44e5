/** Takes a fault: where it is, the value, and the rule that it breaks. */
export type Report = (path: string, value: unknown, rule: string) => undefined;

const MAX_SHOWN_CHARACTERS = 60;

/** A value as messages show it. */
export function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
}

/** The fields of a mapping; anything else is reported. */
export function mapping(value: unknown, path: string, report: Report): Record<string, unknown> | undefined {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  report(path, value, "must be a mapping");
  return undefined;
}
