import type { ConfigIssue } from "./config_error.ts";
import { nearest } from "./nearest.ts";
import { flagNameOf, type OptionSpecs } from "./options.ts";

/** Texts given on the command line, by option name. */
export interface ParsedArguments {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly issues: readonly ConfigIssue[];
}

/** Reads `--name value`, `--name=value`, `--switch` and `--no-switch`. */
export function parseArguments(specs: OptionSpecs, args: readonly string[]): ParsedArguments {
  const byFlag = new Map(Object.keys(specs).map((name) => [flagNameOf(name), name]));
  const values = new Map<string, string[]>();
  const issues: ConfigIssue[] = [];
  const refuse = (option: string, rule: string) => void issues.push({ option, source: "command line", rule });
  for (let at = 0; at < args.length; at++) {
    const given = args[at]!;
    if (!given.startsWith("--") || given === "--") {
      refuse(given, "unexpected argument: only --flags are taken");
      continue;
    }
    const equals = given.indexOf("=");
    const flag = given.slice(2, equals < 0 ? undefined : equals);
    const negated = flag.startsWith("no-") && !byFlag.has(flag) ? byFlag.get(flag.slice(3)) : undefined;
    const name = byFlag.get(flag) ?? negated;
    const spec = name === undefined ? undefined : specs[name];
    if (name === undefined || spec === undefined || (negated !== undefined && spec.kind !== "bool")) {
      refuse(`--${flag}`, unknownRule(flag, [...byFlag.keys()]));
      // The word after an unknown flag is most likely its value, not a second fault.
      if (equals < 0 && args[at + 1]?.startsWith("--") === false) at++;
      continue;
    }
    let text: string;
    if (equals >= 0) text = given.slice(equals + 1);
    else if (spec.kind === "bool") text = "true";
    else if (at + 1 < args.length) text = args[++at]!;
    else {
      refuse(`--${flag}`, "needs a value");
      continue;
    }
    if (negated !== undefined) text = equals < 0 ? "false" : `not a value: ${text}`;
    if (values.has(name) && spec.kind !== "list") refuse(`--${flag}`, "is given twice");
    values.set(name, [...values.get(name) ?? [], text]);
  }
  return { values, issues };
}

/** Says that a name is not known, and which one may have been meant. */
export function unknownRule(name: string, known: readonly string[], prefix = "--"): string {
  const close = nearest(name, known);
  return close ? `unknown option; did you mean ${prefix}${close}?` : "unknown option; --help lists them all";
}
