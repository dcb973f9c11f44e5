// `deno task up`: the whole platform on this machine.
import { relative, resolve } from "node:path";
import {
  checkRuntime,
  onTerminationSignal,
  programArguments,
  standardError,
  standardOutput,
  systemClock,
  systemEnvironment,
  systemFiles,
  systemProcesses,
  systemRandom,
} from "../../shared/runtime/mod.ts";
import { ConfigError, helpText, parseConfig } from "../../shared/service/mod.ts";
import { createLogger } from "../../shared/telemetry/mod.ts";
import { runCheck } from "./check/mod.ts";
import { interruptRecorded } from "./data_folder.ts";
import { layoutOf } from "./layout.ts";
import { type UpConfig, upOptions } from "./options.ts";
import { type Platform, startPlatform } from "./platform.ts";
import { createProgress } from "./progress.ts";
import { summary } from "./summary.ts";

const DESCRIPTION = "Starts the whole platform on this machine: databases, certificates, three tiers. Ctrl-C stops it.";

async function main(): Promise<number> {
  checkRuntime();
  const args = programArguments();
  if (args.includes("--help")) {
    standardOutput().write(helpText("up", DESCRIPTION, upOptions));
    return 0;
  }
  const config = await parseConfig(upOptions, { args, env: systemEnvironment(), resolvePath: (path) => resolve(path) });
  const signal = interruptSignal(config);
  return config.check ? await runCheck(config, run, signal) : await runUntilInterrupted(config, signal);
}

/** A terminal's Ctrl-C comes twice, by itself and from the task runner: within this time it is the same one, ms. */
const SAME_INTERRUPT_MS = 1_000;

/** Aborted by the first Ctrl-C, or when the terminal goes away; the next Ctrl-C ends `up` without waiting for anybody. */
function interruptSignal(config: UpConfig): AbortSignal {
  const controller = new AbortController();
  let first: number | undefined;
  const interrupted = () => {
    first ??= performance.now();
    controller.abort(new DOMException("interrupted", "AbortError"));
  };
  onTerminationSignal(() => {
    if (first !== undefined && performance.now() - first > SAME_INTERRUPT_MS) {
      interruptRecorded(layoutOf(config.data));
      Deno.exit(130);
    }
    interrupted();
  });
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", interrupted);
  return controller.signal;
}

function run(config: UpConfig, signal: AbortSignal): Promise<Platform> {
  const out = standardOutput();
  const clock = systemClock();
  const progress = createProgress(out, () => clock.monotonic());
  let logFile: Deno.FsFile | undefined;
  const encoder = new TextEncoder();
  const log = createLogger({
    service: "up",
    clock,
    level: config.logLevel,
    sink: (line) => {
      // the folder is not touched before it was found to be ours
      logFile ??= Deno.openSync(`${config.data}/up.log`, { append: true, create: true, mode: 0o600 });
      logFile.writeSync(encoder.encode(line));
    },
  });
  return startPlatform(config, {
    files: systemFiles(),
    clock,
    random: systemRandom(),
    processes: systemProcesses(),
    environment: systemEnvironment(),
    log,
    progress,
    say: (text) => progress.say(text),
  }, signal);
}

async function runUntilInterrupted(config: UpConfig, signal: AbortSignal): Promise<number> {
  const out = standardOutput();
  const began = performance.now();
  const platform = await run({ ...config, moduleRoots: config.moduleRoots.map((root) => resolve(root)) }, signal);
  const folder = relative(Deno.cwd(), config.data);
  const shown = folder.startsWith("..") ? config.data : folder;
  out.write(`${summary(platform.info(), config, (performance.now() - began) / 1_000, shown)}\n`);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  out.write("\nStopping …\n");
  await platform.stop();
  out.write("Everything has stopped.\n");
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") Deno.exit(130);
    const message = error instanceof Error ? error.message : String(error);
    standardError().write(`up: ${message}\n`);
    Deno.exit(error instanceof ConfigError ? 2 : 1);
  }
}
