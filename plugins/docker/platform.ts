import {
  type AppOps,
  type CloudletFacts,
  type CloudletPlatform,
  type OutputPiece,
  type PlatformContext,
  PlatformError,
  propertyValue,
  PUBLIC_ADDRESS,
} from "../../shared/platform/mod.ts";
import { createAppOps } from "./apps.ts";
import { createClusterOps } from "./clusters.ts";
import { listContainers } from "./containers.ts";
import { connectEngine, type Engine, EngineError } from "./engine.ts";
import { Keeper } from "./keeper.ts";
import type { Site } from "./labels.ts";
import { ENGINE, META, RESTART_DELAY, START_TIMEOUT } from "./meta.ts";

const BYTES_PER_MB = 1024 * 1024;
const STOP_GRACE_S = 5;

interface EngineInfo {
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly ServerVersion: string;
  readonly OperatingSystem: string;
  readonly Architecture: string;
}

interface Opened {
  readonly context: PlatformContext;
  readonly engine: Engine;
  readonly site: Site;
  readonly keeper: Keeper;
  readonly apps: AppOps;
  /** Where published ports are reached from here. */
  readonly host: string;
}

/** Makes the platform; it works once `init` has ended. */
export function createDockerPlatform(): CloudletPlatform {
  let opened: Opened | undefined;
  const listeners = new Set<(key: string) => void>();
  const ready = (): Opened => {
    if (!opened) throw new PlatformError("Inconsistent", "The platform is not initialised");
    return opened;
  };
  return {
    meta: META,
    apps: {
      create: (spec, operation) => translated(() => ready().apps.create(spec, operation)),
      update: (spec, operation) => translated(() => ready().apps.update!(spec, operation)),
      exec: (ref, command, operation) => translatedOutput(ready().apps.exec!(ref, command, operation)),
      logs: (ref, options, operation) => translatedOutput(ready().apps.logs!(ref, options, operation)),
      delete: (ref, operation) => translated(() => ready().apps.delete(ref, operation)),
      list: (operation) => translated(() => ready().apps.list(operation)),
      status: (ref) => translated(() => ready().apps.status(ref)),
      watch: (listener) => ready().apps.watch(listener),
    },
    clusters: translatedClusters(createClusterOps(() => ready().engine, () => ready().site)),
    async init(context, operation) {
      const address = propertyValue(META, context.variables, ENGINE)!;
      const restartDelayMs = Number(propertyValue(META, context.variables, RESTART_DELAY));
      const startTimeoutMs = Number(propertyValue(META, context.variables, START_TIMEOUT));
      operation.progress("Reaching the Docker Engine");
      const engine = connectEngine(address);
      const info = await translated(() => engineInfo(engine, operation.signal));
      const { region, cloudlet: { organization, name } } = context;
      const site: Site = { region, cloudlet: `${organization}/${name}` };
      const keeper = new Keeper({
        ...context,
        engine,
        site,
        restartDelayMs,
        changed: (key) => listeners.forEach((listener) => listener(key)),
      });
      const probeHost = address.startsWith("tcp://")
        ? new URL(address.replace(/^tcp:/, "http:")).hostname
        : "127.0.0.1";
      const apps = createAppOps({
        context,
        engine,
        site,
        keeper,
        cpus: info.NCPU,
        startTimeoutMs,
        probeHost,
        listeners,
      });
      operation.progress("Finding containers");
      await translated(() => keeper.start());
      opened = { context, engine, site, keeper, apps, host: probeHost };
    },
    async gather(operation): Promise<CloudletFacts> {
      const info = await translated(() => engineInfo(ready().engine, operation.signal));
      return {
        ramMb: Math.floor(info.MemTotal / BYTES_PER_MB),
        vcpus: info.NCPU,
        diskGb: 0,
        properties: {
          "engine-version": info.ServerVersion,
          "engine-system": `${info.OperatingSystem} ${info.Architecture}`,
          [PUBLIC_ADDRESS]: ready().host,
        },
      };
    },
    async close(options) {
      if (!opened) return;
      const { engine, site, keeper } = opened;
      keeper.close();
      opened = undefined;
      if (!options?.stopApps) return;
      const containers = await translated(() => listContainers(engine, site));
      await Promise.all(
        containers.map(({ id }) =>
          translated(() =>
            engine.call({ method: "POST", path: `/containers/${id}/stop`, query: { t: String(STOP_GRACE_S) } })
          )
        ),
      );
    },
  };
}

async function engineInfo(engine: Engine, signal: AbortSignal): Promise<EngineInfo> {
  return await engine.call({ path: "/info", signal }) as EngineInfo;
}

/** Errors of the engine as errors of the platform. */
async function translated<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw translation(error);
  }
}

async function* translatedOutput<T>(output: AsyncGenerator<OutputPiece, T>): AsyncGenerator<OutputPiece, T> {
  try {
    return yield* output;
  } catch (error) {
    throw translation(error);
  }
}

function translation(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const fault = error.status >= 500 ? "Transient" : "Inconsistent";
  return new PlatformError(fault, `The Docker Engine says: ${error.message}`, { cause: error });
}

function translatedClusters(ops: ReturnType<typeof createClusterOps>): typeof ops {
  return {
    create: (spec, operation) => translated(() => ops.create(spec, operation)),
    delete: (ref, operation) => translated(() => ops.delete(ref, operation)),
    list: (operation) => translated(() => ops.list(operation)),
  };
}
