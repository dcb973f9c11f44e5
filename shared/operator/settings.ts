import type { OperatorMeta } from "./operator.ts";

/**
 * Reads `name=value` texts as the settings of a plugin.
 * @throws {Error} with all that is wrong: unknown names, missing ones, texts that are no pair
 */
export function readSettings(meta: OperatorMeta, texts: readonly string[]): Record<string, string> {
  const faults: string[] = [];
  const settings: Record<string, string> = {};
  for (const text of texts) {
    const split = text.indexOf("=");
    const name = text.slice(0, Math.max(split, 0));
    if (split <= 0) faults.push(`${JSON.stringify(text)} must be name=value`);
    else if (!meta.settings.some((each) => each.name === name)) faults.push(`there is no setting ${name}`);
    else settings[name] = text.slice(split + 1);
  }
  for (const { name, required, doc } of meta.settings) {
    if (required && !settings[name]) faults.push(`setting ${name} is missing: ${doc}`);
  }
  if (faults.length === 0) return settings;
  const known = meta.settings.map(({ name }) => name).join(", ") || "none";
  throw new Error(`Operator ${meta.name}: ${faults.join("; ")} (settings: ${known})`);
}
