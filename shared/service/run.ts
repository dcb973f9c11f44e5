import {
  checkRuntime,
  exitProcess,
  onParentExit,
  onTerminationSignal,
  programArguments,
  standardError,
  standardOutput,
  systemEnvironment,
  systemFiles,
} from "../runtime/mod.ts";
import { errorFields, redactText } from "../telemetry/mod.ts";
import { resolve } from "node:path";
import { commonOptions } from "./common_options.ts";
import { parseConfig } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import type { ServiceDefinition } from "./context.ts";
import { helpText } from "./help.ts";
import type { ConfigOf, OptionSpecs } from "./options.ts";
import { printableConfig } from "./print_config.ts";
import { type RunningService, startService } from "./start.ts";

/** Exit codes of a service. */
const EXIT = { done: 0, failed: 1, misconfigured: 2, interrupted: 130 } as const;

/**
 * Runs a service as this process, from its arguments to its end; never returns. SIGTERM and SIGINT drain it, a second
 * one ends it at once. Whatever keeps it from going on is said in one line on standard error.
 */
export async function runService<const O extends OptionSpecs>(definition: ServiceDefinition<O>): Promise<void> {
  const args = programArguments();
  let onFault: (reason: unknown) => void = (reason) => endWith(definition.name, reason);
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    onFault(event.reason);
  });
  const interrupt = new AbortController();
  let running: RunningService<ConfigOf<O>>;
  try {
    checkRuntime();
    const text = await informationFor(definition, args);
    if (text !== undefined) {
      standardOutput().write(text);
      exitProcess(EXIT.done);
    }
    // Before the start, since a service may be asked to end as soon as it says that it is ready.
    onTerminationSignal((signal) => {
      if (interrupt.signal.aborted) exitProcess(EXIT.interrupted);
      interrupt.abort(new Error(signal));
    });
    running = await startService(definition, { args, interrupt: interrupt.signal });
  } catch (error) {
    if (interrupt.signal.aborted) exitProcess(EXIT.done);
    return endWith(definition.name, error);
  }
  onFault = (reason) => {
    running.context.log.error("a fault that nobody handled", errorFields(reason));
    running.context.fail(new Error(`A fault that nobody handled: ${oneLine(reason)}`));
  };
  exitProcess(await untilEnd(running, interrupt.signal));
}

function endWith(name: string, error: unknown): never {
  standardError().write(`${name}: ${oneLine(error)}\n`);
  exitProcess(error instanceof ConfigError ? EXIT.misconfigured : EXIT.failed);
}

/** The answer to `--help`, `--version` or `--print-config`, when one of them is asked for. */
async function informationFor<O extends OptionSpecs>(
  definition: ServiceDefinition<O>,
  args: readonly string[],
): Promise<string | undefined> {
  const specs = { ...definition.options, ...commonOptions };
  if (args.includes("--help")) return helpText(definition.name, definition.description, specs);
  if (args.includes("--version")) return `${definition.name} ${definition.version ?? "development"}\n`;
  if (!args.includes("--print-config")) return undefined;
  const config = await parseConfig(specs, {
    args,
    env: systemEnvironment(),
    readFile: (path) => systemFiles().readText(path),
    resolvePath: (path) => resolve(path),
  });
  return printableConfig(specs, config);
}

async function untilEnd<C>(running: RunningService<C>, interrupt: AbortSignal): Promise<number> {
  const { log, config } = running.context;
  const asked = Promise.withResolvers<string>();
  const onInterrupt = () => asked.resolve(oneLine(interrupt.reason));
  if (interrupt.aborted) onInterrupt();
  else interrupt.addEventListener("abort", onInterrupt, { once: true });
  if (config.watchParent) onParentExit(() => asked.resolve("the parent process ended"));
  const end = await Promise.race([asked.promise, running.failed]);
  if (typeof end === "string") log.info("draining", { why: end });
  else log.error(oneLine(end), { fatal: true });
  await running.stop();
  log.info("ended");
  return typeof end === "string" ? EXIT.done : EXIT.failed;
}

function oneLine(error: unknown): string {
  return redactText(String(errorFields(error).error)).replaceAll(/\s*[\r\n]+\s*/g, " ");
}
