import type { Clock, Environment, Files, Processes, RandomSource } from "../runtime/mod.ts";
import type { Logger, Metrics } from "../telemetry/mod.ts";
import type { CommonConfig } from "./common_options.ts";
import type { DebugCommands } from "./debug_commands.ts";
import type { ConfigOf, OptionSpecs } from "./options.ts";

/** What a service's start function gets. */
export interface ServiceContext<C> {
  readonly config: C & CommonConfig;
  readonly name: string;
  readonly version: string;
  /** Names this run of the process among all, for people, too. */
  readonly nodeName: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly files: Files;
  readonly processes: Processes;
  readonly environment: Environment;
  readonly metrics: Metrics;
  /** Commands for people who look into the running process. */
  readonly debug: DebugCommands;
  /** Aborts when the drain begins. */
  readonly draining: AbortSignal;
  /** Adds a condition for being ready. A check that throws or returns a text is not met; the text says why. */
  onReadyCheck(name: string, check: () => void | string | undefined | Promise<void | string | undefined>): void;
  /** Adds a step to the drain. Steps run one after another, the last added first. */
  onClose(name: string, close: () => void | Promise<void>): void;
  /** Puts an address into the ready line and the log. */
  announce(name: string, address: string): void;
  /** Ends the process in order but as failed, and says why. */
  fail(reason: string | Error): void;
  /** Serves one more path on the admin address. */
  adminRoute(path: string, handler: (request: Request) => Response | Promise<Response>): void;
}

/** A service: its name, options, and what it does. */
export interface ServiceDefinition<O extends OptionSpecs> {
  /** As in log lines and certificates, such as `master-controller`. */
  readonly name: string;
  /** One sentence for `--help`. */
  readonly description: string;
  readonly options: O;
  /** @default "development" */
  readonly version?: string;
  /** Connects, listens, registers checks and closers, and returns; a throw ends the process. */
  readonly start: (context: ServiceContext<ConfigOf<O>>) => Promise<void> | void;
}
