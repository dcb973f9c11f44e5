/** Where a value came from. */
export type ConfigSource = "command line" | "environment" | "configuration file" | "default";

/** One thing wrong with the configuration. */
export interface ConfigIssue {
  /** As the person wrote it: `--api-addr`, `ARCHIPELAGO_API_ADDR`, or the file's key. */
  readonly option: string;
  readonly source: ConfigSource;
  /** What was given; absent where nothing was, or where it is secret. */
  readonly value?: string;
  /** What is expected. */
  readonly rule: string;
}

/** The configuration cannot be used. Its message is one line with all that is wrong. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly issues: readonly ConfigIssue[]) {
    super(issues.map(describe).join("; "));
  }
}

function describe({ option, source, value, rule }: ConfigIssue): string {
  const given = value === undefined ? "" : ` ${JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value)}`;
  const from = source === "configuration file" ? " in the configuration file" : "";
  return `${option}${given}${from}: ${rule}`;
}
