import type { Environment } from "../runtime/mod.ts";
import { parseArguments, unknownRule } from "./arguments.ts";
import { ConfigError, type ConfigIssue, type ConfigSource } from "./config_error.ts";
import { type Parsed, parseNative, parseText, type ResolvePath } from "./option_value.ts";
import { type ConfigOf, environmentNameOf, flagNameOf, type OptionSpec, type OptionSpecs } from "./options.ts";

/** Where values may come from. */
export interface ConfigInputs {
  readonly args: readonly string[];
  readonly env: Environment;
  /** Reads the file that `--config` names. */
  readonly readFile?: (path: string) => Promise<string>;
  /** Turns relative paths into absolute ones. @default leaves them */
  readonly resolvePath?: ResolvePath;
}

/** The option that names the configuration file, where a process has it. */
const FILE_OPTION = "config";

interface Found {
  readonly option: string;
  readonly source: ConfigSource;
  readonly shown: string;
  readonly parsed: Parsed;
}

/**
 * Reads a process's options: flags first, then `ARCHIPELAGO_…` variables, then the YAML file that `--config` names,
 * then defaults.
 *
 * @throws {ConfigError} With everything that is wrong, unknown names included.
 */
export async function parseConfig<const O extends OptionSpecs>(specs: O, inputs: ConfigInputs): Promise<ConfigOf<O>> {
  const { values: flags, issues: flagIssues } = parseArguments(specs, inputs.args);
  const issues: ConfigIssue[] = [...flagIssues];
  const resolvePath = inputs.resolvePath ?? ((path: string) => path);
  const given = (name: string, file: ReadonlyMap<string, unknown>) => {
    const spec = specs[name]!;
    return fromFlags(name, spec, flags, resolvePath) ?? fromVariable(name, spec, inputs.env, resolvePath) ??
      fromFile(name, spec, file, resolvePath) ?? fromDefault(name, spec, resolvePath);
  };
  const file = Object.hasOwn(specs, FILE_OPTION)
    ? await readConfigFile(specs, given(FILE_OPTION, new Map()), inputs, issues)
    : new Map<string, unknown>();
  const config: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const found = given(name, file);
    if (found === undefined) {
      if (spec.required) issues.push({ option: `--${flagNameOf(name)}`, source: "default", rule: "is required" });
      config[name] = undefined;
    } else if ("rule" in found.parsed) {
      const value = spec.secret ? undefined : found.shown;
      issues.push({ option: found.option, source: found.source, value, rule: found.parsed.rule });
    } else {
      config[name] = found.parsed.value;
    }
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return config as ConfigOf<O>;
}

function fromFlags(
  name: string,
  spec: OptionSpec,
  flags: ReadonlyMap<string, readonly string[]>,
  resolvePath: ResolvePath,
): Found | undefined {
  const texts = flags.get(name);
  if (texts === undefined) return undefined;
  const shown = spec.kind === "list" ? texts.join(",") : texts.at(-1)!;
  return {
    option: `--${flagNameOf(name)}`,
    source: "command line",
    shown,
    parsed: parseText(spec, shown, resolvePath),
  };
}

function fromVariable(name: string, spec: OptionSpec, env: Environment, resolvePath: ResolvePath): Found | undefined {
  const option = environmentNameOf(name);
  const shown = env.get(option);
  if (shown === undefined) return undefined;
  return { option, source: "environment", shown, parsed: parseText(spec, shown, resolvePath) };
}

function fromFile(
  name: string,
  spec: OptionSpec,
  file: ReadonlyMap<string, unknown>,
  resolvePath: ResolvePath,
): Found | undefined {
  const option = flagNameOf(name);
  if (!file.has(option)) return undefined;
  const value = file.get(option);
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  return { option, source: "configuration file", shown, parsed: parseNative(spec, value, resolvePath) };
}

function fromDefault(name: string, spec: OptionSpec, resolvePath: ResolvePath): Found | undefined {
  if (spec.default === undefined) return undefined;
  const parsed = parseNative(spec, spec.default, resolvePath);
  return { option: `--${flagNameOf(name)}`, source: "default", shown: String(spec.default), parsed };
}

async function readConfigFile(
  specs: OptionSpecs,
  found: Found | undefined,
  inputs: ConfigInputs,
  issues: ConfigIssue[],
): Promise<ReadonlyMap<string, unknown>> {
  const nothing = new Map<string, unknown>();
  if (found === undefined || "rule" in found.parsed) return nothing;
  const path = found.parsed.value as string;
  const refuse = (rule: string) => {
    issues.push({ option: found.option, source: found.source, value: found.shown, rule });
    return nothing;
  };
  let text: string;
  try {
    text = await (inputs.readFile ?? (() => Promise.reject(new Error("no files here"))))(path);
  } catch (error) {
    return refuse(`cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const { parse } = await import("yaml");
  let content: unknown;
  try {
    content = parse(text, { logLevel: "error" });
  } catch (error) {
    // The parser's message goes on to quote the file, which may hold secrets.
    return refuse(`is not YAML: ${String((error as Error).message).split("\n")[0]!.replace(/:$/, "")}`);
  }
  if (content === null || content === undefined) return nothing;
  if (typeof content !== "object" || Array.isArray(content)) return refuse("must hold a mapping of options to values");
  const known = Object.keys(specs).filter((name) => name !== FILE_OPTION).map(flagNameOf);
  for (const key of Object.keys(content)) {
    if (known.includes(key)) continue;
    issues.push({ option: key, source: "configuration file", rule: unknownRule(key, known, "") });
  }
  return new Map(Object.entries(content).filter(([, value]) => value !== null && value !== undefined));
}
