import {
  exitProcess,
  onTerminationSignal,
  programArguments,
  standardError,
  standardOutput,
  systemClock,
  systemFiles,
} from "../../shared/runtime/mod.ts";
import { runDevice } from "./cli.ts";
import { systemConnector, systemFetcher } from "./system.ts";
import { usageText } from "./usage.ts";

if (import.meta.main) {
  const args = programArguments();
  if (args.includes("--help")) {
    standardOutput().write(usageText());
    exitProcess(0);
  }
  const stop = new AbortController();
  onTerminationSignal(() => {
    if (stop.signal.aborted) exitProcess(130);
    stop.abort();
  });
  try {
    const reached = await runDevice(args, {
      readText: (path) => systemFiles().readText(path),
      fetcherFor: systemFetcher,
      connectorFor: systemConnector,
      clock: systemClock(),
      print: (line) => standardOutput().write(`${line}\n`),
      stop: stop.signal,
    });
    exitProcess(reached ? 0 : 1);
  } catch (error) {
    standardError().write(`device: ${error instanceof Error ? error.message : error}\n`);
    exitProcess(2);
  }
}
