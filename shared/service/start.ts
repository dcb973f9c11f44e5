import {
  type Clock,
  type Environment,
  type Files,
  hostName,
  type Processes,
  processId,
  type RandomSource,
  standardError,
  systemClock,
  systemEnvironment,
  systemFiles,
  systemProcesses,
  systemRandom,
} from "../runtime/mod.ts";
import {
  createLogger,
  createMetrics,
  errorFields,
  type Logger,
  type LogSink,
  runWithTraceparent,
} from "../telemetry/mod.ts";
import { resolve } from "node:path";
import { type AdminServer, startAdminServer } from "./admin_server.ts";
import { type CommonConfig, commonOptions } from "./common_options.ts";
import { parseConfig } from "./config.ts";
import type { ServiceContext, ServiceDefinition } from "./context.ts";
import { createDebugCommands } from "./debug_commands.ts";
import { drain } from "./drain.ts";
import type { ConfigOf, OptionSpecs } from "./options.ts";
import { ReadyChecks } from "./ready_checks.ts";

/** What a service runs on; each part has the real one as its default. */
export interface StartOptions {
  /** @default none */
  readonly args?: readonly string[];
  readonly env?: Environment;
  readonly clock?: Clock;
  readonly random?: RandomSource;
  readonly files?: Files;
  readonly processes?: Processes;
  /** Where log lines go. @default standard error */
  readonly sink?: LogSink;
  /** Gives up a start that is under way: what it opened is drained, and the start rejects with the signal's reason. */
  readonly interrupt?: AbortSignal;
}

/** A service that was started. */
export interface RunningService<C> {
  readonly context: ServiceContext<C>;
  /** What it announced, by name. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly adminUrl: string;
  /** Settles when all ready checks have passed for the first time. */
  readonly ready: Promise<void>;
  /** Settles with the reason when the service gives up; otherwise never. */
  readonly failed: Promise<Error>;
  /** Drains it. Settles when it is done or the grace time is over. */
  stop(): Promise<void>;
}

const READY_POLL_MS = 50;
/** After this long a service that is not ready says what it waits for. */
const WAITING_NOTICE_MS = 5_000;

/**
 * Starts a service inside this process.
 *
 * @throws {ConfigError} When its configuration cannot be used.
 * @throws What its start function throws, after draining what had been started.
 */
export async function startService<const O extends OptionSpecs>(
  definition: ServiceDefinition<O>,
  options: StartOptions = {},
): Promise<RunningService<ConfigOf<O>>> {
  const environment = options.env ?? systemEnvironment();
  const files = options.files ?? systemFiles();
  const specs = { ...definition.options, ...commonOptions };
  const config = await parseConfig(specs, {
    args: options.args ?? [],
    env: environment,
    readFile: (path) => files.readText(path),
    resolvePath: (path) => resolve(path),
  }) as ConfigOf<O> & CommonConfig;
  const clock = options.clock ?? systemClock();
  const log = makeLogger(definition.name, config, clock, options.sink);
  const { name, version = "development" } = definition;
  const service = new Service<ConfigOf<O>>({ name, version, config, log, clock, environment, files, options });
  await service.start(definition.start, environment.get("TRACEPARENT"), options.interrupt);
  return service;
}

function makeLogger(service: string, config: CommonConfig, clock: Clock, sink: LogSink | undefined): Logger {
  const errors = standardError();
  const text = config.logFormat === "text" || (config.logFormat === "auto" && sink === undefined && errors.isTerminal);
  return createLogger({
    service,
    clock,
    sink: sink ?? ((line) => errors.write(line)),
    level: config.logLevel,
    format: text ? "text" : "json",
  });
}

interface Parts<C> {
  readonly name: string;
  readonly version: string;
  readonly config: C & CommonConfig;
  readonly log: Logger;
  readonly clock: Clock;
  readonly environment: Environment;
  readonly files: Files;
  readonly options: StartOptions;
}

class Service<C> implements RunningService<C> {
  readonly context: ServiceContext<C>;
  readonly addresses: Record<string, string> = {};
  readonly ready: Promise<void>;
  readonly failed: Promise<Error>;
  readonly #checks: ReadyChecks;
  readonly #closers: { name: string; close: () => void | Promise<void> }[] = [];
  readonly #draining = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<Error>();
  readonly #routes: Parameters<AdminServer["route"]>[] = [];
  #admin: AdminServer | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: Parts<C>) {
    const { options, ...own } = parts;
    this.#checks = new ReadyChecks(own.clock);
    this.ready = this.#ready.promise;
    this.failed = this.#failed.promise;
    const random = options.random ?? systemRandom();
    const metrics = createMetrics();
    this.context = {
      ...own,
      nodeName: `${hostName()}-${random.uuid().slice(0, 8)}`,
      random,
      processes: options.processes ?? systemProcesses(),
      metrics,
      debug: createDebugCommands(own.log, metrics),
      draining: this.#draining.signal,
      onReadyCheck: (name, check) => this.#checks.add(name, check),
      onClose: (name, close) => void this.#closers.push({ name, close }),
      announce: (name, address) => void (this.addresses[name] = address),
      fail: (reason) => this.#failed.resolve(reason instanceof Error ? reason : new Error(reason)),
      adminRoute: (path, handler) =>
        this.#admin ? this.#admin.route(path, handler) : void this.#routes.push([path, handler]),
    };
  }

  get adminUrl(): string {
    return this.#admin?.listener.url ?? "";
  }

  async start(
    begin: (context: ServiceContext<C>) => Promise<void> | void,
    traceparent: string | undefined,
    interrupt: AbortSignal | undefined,
  ): Promise<void> {
    const { config, metrics } = this.context;
    this.#admin = await startAdminServer(config.adminAddr, this.#checks, metrics);
    for (const route of this.#routes) this.#admin.route(...route);
    try {
      const begun = runWithTraceparent(traceparent, async () => await begin(this.context));
      await (interrupt ? Promise.race([begun, whenAborted(interrupt)]) : begun);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#checks.markStarted();
    void this.#watchReadiness();
  }

  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  async #stop(): Promise<void> {
    const { log, clock, config } = this.context;
    this.#checks.markDraining();
    this.#draining.abort(new Error("The service is draining"));
    await drain(this.#closers.toReversed(), { log, clock, graceMs: config.grace });
    await this.#admin?.listener.close();
  }

  async #watchReadiness(): Promise<void> {
    const { clock, log, name, draining } = this.context;
    const began = clock.monotonic();
    let noticed = false;
    try {
      while (!draining.aborted) {
        const state = await this.#checks.run();
        if (state.ready) {
          log.info("ready", { admin: this.adminUrl, addresses: this.addresses, pid: processId() });
          return this.#ready.resolve();
        }
        if (!noticed && clock.monotonic() - began > WAITING_NOTICE_MS) {
          noticed = true;
          const waiting = Object.fromEntries(Object.entries(state.checks).filter(([, word]) => word !== "ok"));
          log.warn("not ready yet", { waiting });
        }
        await clock.sleep(READY_POLL_MS, draining);
      }
    } catch (error) {
      if (!draining.aborted) log.error(`readiness of ${name} cannot be watched`, errorFields(error));
    }
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
