import { memoryUsage } from "../runtime/mod.ts";
import { errorFields, hideSecrets, isSecretName, type Logger, type Metrics, redactText } from "../telemetry/mod.ts";

/** What a command prints: a text as it is, anything else as JSON. */
export type DebugRun = (args: string) => unknown;

/** Commands for people who look into a running process (services specification 8). */
export interface DebugCommands {
  /** Adds a command. @throws {TypeError} when there is one of that name. */
  add(name: string, doc: string, run: DebugRun): void;
  /**
   * Runs one and gives its output, secrets hidden. What goes wrong is output, too: the caller may be far away.
   * @param pretty structured output over several lines.
   */
  run(name: string, args: string, pretty: boolean): Promise<string>;
  /** Has the process log more, or less. @param levels topics or `all`, divided by commas. */
  setLevels(levels: string, on: boolean): string;
  /** Levels that are on, and those that there are. */
  showLevels(): string;
}

/** Stands for the debug level of everything. */
const ALL = "all";

/** The commands that every process has; services add their own. */
export function createDebugCommands(log: Logger, metrics: Metrics): DebugCommands {
  const commands = new Map<string, { doc: string; run: DebugRun }>();
  const configured = log.level() === "debug" ? "info" : log.level();

  function levels(): string[] {
    return [...(log.level() === "debug" ? [ALL] : []), ...log.topics.enabled()];
  }
  const self: DebugCommands = {
    add(name, doc, run) {
      if (commands.has(name)) throw new TypeError(`Command ${name} is there already`);
      commands.set(name, { doc, run });
    },
    async run(name, args, pretty) {
      const command = commands.get(name);
      if (!command) {
        return `Unknown command ${JSON.stringify(name)}; there are ${[...commands.keys()].sort().join(", ")}`;
      }
      try {
        return textOf(await command.run(args), pretty);
      } catch (error) {
        return `Failed: ${redactText(errorFields(error).error)}`;
      }
    },
    setLevels(text, on) {
      const wanted = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
      const known = log.topics.known();
      const unknown = wanted.filter((name) => name !== ALL && !known.includes(name));
      // All or nothing, so that an answer never leaves open what holds now.
      if (wanted.length === 0 || unknown.length > 0) {
        const fault = wanted.length === 0 ? "No levels given" : `Unknown level ${unknown.join(", ")}`;
        return `${fault}; there are ${[ALL, ...known].join(", ")}`;
      }
      for (const name of wanted) {
        if (name === ALL) log.setLevel(on ? "debug" : configured);
        else log.topics.set(name, on);
      }
      log.info("debug levels changed", { levels: levels() });
      return self.showLevels();
    },
    showLevels: () => `on: ${levels().join(",") || "none"}; there are ${[ALL, ...log.topics.known()].join(",")}`,
  };
  self.add("help", "Lists the commands.", () => {
    const rows = [...commands].sort(([a], [b]) => a < b ? -1 : 1);
    const width = Math.max(...rows.map(([name]) => name.length));
    return rows.map(([name, { doc }]) => `${name.padEnd(width)}  ${doc}`).join("\n");
  });
  self.add(
    "enable-debug-levels",
    "Logs more: topics, or all; args are divided by commas.",
    (args) => self.setLevels(args, true),
  );
  self.add("disable-debug-levels", "Logs less: topics, or all.", (args) => self.setLevels(args, false));
  self.add(
    "show-debug-levels",
    "Topics that are logged at the debug level, and those that there are.",
    () => self.showLevels(),
  );
  self.add("show-metrics", "The metrics as they are scraped.", () => metrics.expose());
  self.add("show-memory", "Memory of the process, in bytes.", () => memoryUsage());
  return self;
}

/** Longest output: replies travel as messages, which have a bound. */
const MAX_OUTPUT_CHARS = 200_000;

function textOf(output: unknown, pretty: boolean): string {
  const hide = (name: string, value: unknown): unknown =>
    value !== "" && value !== undefined && isSecretName(name) ? "***" : value;
  const text = typeof output === "string" ? output : JSON.stringify(output, hide, pretty ? 2 : 0) ?? "";
  const hidden = hideSecrets(text);
  return hidden.length <= MAX_OUTPUT_CHARS
    ? hidden
    : `${hidden.slice(0, MAX_OUTPUT_CHARS)}… (${hidden.length} characters)`;
}
