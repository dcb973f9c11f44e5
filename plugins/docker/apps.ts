import {
  type AppOps,
  type AppOutcome,
  type AppSpec,
  type AppStatus,
  type ObjectRef,
  type OperationContext,
  type PlatformContext,
  PlatformError,
  throwIfEnded,
  waitUntilUp,
} from "../../shared/platform/mod.ts";
import { networkName } from "./clusters.ts";
import { containerBody, containerName } from "./container.ts";
import { lastLines, listContainers, type SiteContainer, statusOf } from "./containers.ts";
import { type Engine, EngineError } from "./engine.ts";
import { ensureImage, parseImage } from "./images.ts";
import type { Keeper } from "./keeper.ts";
import { fingerprintOf, type Site } from "./labels.ts";
import { createOutput } from "./output.ts";

/** Time for a container to end by itself before it is killed, in seconds. */
const STOP_GRACE_S = 5;

/** What the operations work with. */
export interface DockerAppsDeps {
  readonly context: PlatformContext;
  readonly engine: Engine;
  readonly site: Site;
  readonly keeper: Keeper;
  /** CPUs of the engine's machine. */
  readonly cpus: number;
  /** Longest time for an app to open its ports. */
  readonly startTimeoutMs: number;
  /** Where published ports are reached from here. */
  readonly probeHost: string;
  readonly listeners: Set<(key: string) => void>;
}

/** Makes the operations on containers. */
export function createAppOps(deps: DockerAppsDeps): AppOps {
  const { engine, site, keeper, context: { clock } } = deps;

  async function statusNow(ref: ObjectRef): Promise<AppStatus> {
    const [container] = await listContainers(engine, site, ref.key);
    return container ? statusOf(container, deps.probeHost) : { state: "absent", runtimeIds: [], probes: [] };
  }

  async function remove(ref: ObjectRef): Promise<void> {
    for (const { id } of await listContainers(engine, site, ref.key)) {
      await tolerate(
        404,
        () => engine.call({ method: "POST", path: `/containers/${id}/stop`, query: { t: String(STOP_GRACE_S) } }),
      );
      await tolerate(
        404,
        () => engine.call({ method: "DELETE", path: `/containers/${id}`, query: { force: "true", v: "true" } }),
      );
    }
  }

  async function deploy(spec: AppSpec, refresh: boolean, operation: OperationContext): Promise<AppOutcome> {
    const image = parseImage(spec.imagePath);
    await ensureImage(engine, image, { refresh }, operation);
    throwIfEnded(operation, clock.now());
    await remove(spec);
    try {
      operation.progress("Creating the container");
      const id = await createContainer(spec, operation);
      operation.progress("Starting the container");
      await startContainer(id, spec, operation);
      await waitRunning(spec, id, true, operation);
      return { runtimeIds: (await statusNow(spec)).runtimeIds };
    } catch (error) {
      await remove(spec);
      throw error;
    }
  }

  async function createContainer(spec: AppSpec, operation: OperationContext): Promise<string> {
    try {
      const made = await engine.call({
        method: "POST",
        path: "/containers/create",
        query: { name: containerName(site, spec) },
        body: containerBody(site, spec),
        signal: operation.signal,
      }) as { Id: string };
      return made.Id;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const fault = error.status === 404 ? "NotFound" : error.status === 400 ? "Invalid" : "Inconsistent";
      throw new PlatformError(fault, `The container cannot be created: ${error.message}`, { cause: error });
    }
  }

  async function startContainer(id: string, spec: AppSpec, operation: OperationContext): Promise<void> {
    try {
      await engine.call({ method: "POST", path: `/containers/${id}/start`, signal: operation.signal });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const taken = takenPort(error.message);
      if (taken) throw new PlatformError("Conflict", `Port ${taken} is already taken on this site`, { cause: error });
      if (/network .* not found/i.test(error.message) && spec.cluster) {
        throw new PlatformError("NotFound", `The network ${networkName(site, spec.cluster)} of the cluster is gone`, {
          cause: error,
        });
      }
      throw new PlatformError("Inconsistent", `The container cannot be started: ${error.message}`, { cause: error });
    }
  }

  async function waitRunning(
    spec: AppSpec,
    id: string,
    failOnDeath: boolean,
    operation: OperationContext,
  ): Promise<void> {
    try {
      await waitUntilUp(() => statusNow(spec), { clock, timeoutMs: deps.startTimeoutMs, failOnDeath }, operation);
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      throw new PlatformError(error.fault, `${error.message}${await lastLines(engine, id)}`, { cause: error });
    }
  }

  function check(spec: AppSpec): void {
    if (spec.deployment !== "docker") {
      throw new PlatformError("Invalid", `Deployment "${spec.deployment}" cannot run on this site, it runs docker`);
    }
    if (spec.manifest.trim() !== "") {
      throw new PlatformError("Invalid", "A deployment manifest (compose) cannot run on this site, give an image only");
    }
    if (spec.flavor.vcpus > deps.cpus) {
      const asked = `Flavor ${spec.flavor.name} asks for ${spec.flavor.vcpus} CPUs`;
      throw new PlatformError("Quota", `${asked}, the site's engine has ${deps.cpus}`);
    }
  }

  return {
    create(spec, operation) {
      return keeper.hold(spec.key, async () => {
        throwIfEnded(operation, clock.now());
        check(spec);
        const present = await listContainers(engine, site, spec.key);
        const same = present.length === 1 && present[0]!.fingerprint === fingerprintOf(spec) ? present[0] : undefined;
        if (!same) return await deploy(spec, false, operation);
        if (same.state !== "running") await startContainer(same.id, spec, operation);
        await waitRunning(spec, same.id, false, operation);
        return { runtimeIds: (await statusNow(spec)).runtimeIds };
      });
    },
    update(spec, operation) {
      return keeper.hold(spec.key, async () => {
        throwIfEnded(operation, clock.now());
        check(spec);
        return await deploy(spec, true, operation);
      });
    },
    delete: (ref, operation) =>
      keeper.hold(ref.key, async () => {
        operation.progress("Removing the container");
        await remove(ref);
      }),
    ...createOutput(engine, site),
    async list() {
      const containers: SiteContainer[] = await listContainers(engine, site);
      return containers.map(({ ref, state }) => ({ ...ref, state }));
    },
    status: statusNow,
    watch(listener) {
      deps.listeners.add(listener);
      return () => void deps.listeners.delete(listener);
    },
  };
}

/** The port that the engine says it could not open, as "tcp:80". */
export function takenPort(message: string): string | undefined {
  if (!/port is already allocated|address already in use/i.test(message)) return undefined;
  const listen = /listen (tcp|udp)[46]? \S*?:(\d+): bind/.exec(message) ?? /(tcp|udp)\S* \S*?:(\d+)/.exec(message);
  if (listen) return `${listen[1]}:${listen[2]}`;
  return /:(\d+)(?:\/(?:tcp|udp))? failed/.exec(message)?.[1] ?? "of the app";
}

async function tolerate(status: number, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof EngineError && error.status === status)) throw error;
  }
}
