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
import { belongingsOf } from "./belongings.ts";
import { networkName } from "./clusters.ts";
import { containerBody } from "./container.ts";
import { isWell, lastLines, listContainers, stateOfAll, statusOf } from "./containers.ts";
import { type Engine, EngineError } from "./engine.ts";
import { ensureImage } from "./images.ts";
import type { Keeper } from "./keeper.ts";
import { fingerprintOf, type Site } from "./labels.ts";
import { createOutput } from "./output.ts";
import { imagesOf, type Plan, planOf, type Workload } from "./plan.ts";

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

  const belongings = belongingsOf(engine, site);

  async function statusNow(ref: ObjectRef): Promise<AppStatus> {
    return statusOf(await listContainers(engine, site, ref.key), deps.probeHost);
  }

  /** Removes what runs; volumes stay. */
  async function takeDown(ref: ObjectRef): Promise<void> {
    for (const { id } of (await listContainers(engine, site, ref.key)).reverse()) {
      await tolerate(
        404,
        () => engine.call({ method: "POST", path: `/containers/${id}/stop`, query: { t: String(STOP_GRACE_S) } }),
      );
      await tolerate(
        404,
        () => engine.call({ method: "DELETE", path: `/containers/${id}`, query: { force: "true", v: "true" } }),
      );
    }
    await belongings.removeNetworks(ref);
  }

  async function deploy(spec: AppSpec, refresh: boolean, operation: OperationContext): Promise<AppOutcome> {
    const plan = planOf(site, spec);
    for (const image of imagesOf(plan)) await ensureImage(engine, image, { refresh }, operation);
    throwIfEnded(operation, clock.now());
    await takeDown(spec);
    let madeVolumes: readonly string[] = [];
    try {
      madeVolumes = await belongings.make(spec, plan, operation);
      for (const workload of plan.workloads) {
        const name = workload.service || undefined;
        operation.progress("Creating the container", name);
        const id = await createContainer(spec, plan, workload, operation);
        operation.progress("Starting the container", name);
        await startContainer(id, spec, operation);
      }
      // Services that need each other may fail until all of them are there.
      await waitRunning(spec, plan.workloads.length === 1, operation);
      return { runtimeIds: (await statusNow(spec)).runtimeIds };
    } catch (error) {
      await takeDown(spec);
      await belongings.removeVolumes(spec, madeVolumes);
      throw error;
    }
  }

  async function createContainer(
    spec: AppSpec,
    plan: Plan,
    workload: Workload,
    { signal }: OperationContext,
  ): Promise<string> {
    const { containerName, networks: [, ...further] } = workload;
    try {
      const { Id } = await engine.call({
        method: "POST",
        path: "/containers/create",
        query: { name: containerName },
        body: containerBody(site, spec, plan, workload),
        signal,
      }) as { Id: string };
      for (const { name, aliases } of further) {
        const body = { Container: Id, EndpointConfig: { Aliases: aliases } };
        await engine.call({ method: "POST", path: `/networks/${name}/connect`, body, signal });
      }
      return Id;
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

  async function waitRunning(spec: AppSpec, failOnDeath: boolean, operation: OperationContext): Promise<void> {
    try {
      await waitUntilUp(() => statusNow(spec), { clock, timeoutMs: deps.startTimeoutMs, failOnDeath }, operation);
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      throw new PlatformError(error.fault, `${error.message}${await lastWords(spec)}`, { cause: error });
    }
  }

  /** What the containers that are not well have written last; where all are, what any has. */
  async function lastWords(spec: AppSpec): Promise<string> {
    const containers = await listContainers(engine, site, spec.key);
    const amiss = containers.filter((container) => !isWell(container));
    const texts = await Promise.all(
      (amiss.length > 0 ? amiss : containers).map(async ({ id, service }) => {
        const lines = await lastLines(engine, id);
        return service === "" || lines === "" ? lines : `; ${service}${lines.replace("; its", "'s")}`;
      }),
    );
    return texts.join("");
  }

  function check(spec: AppSpec): void {
    if (spec.deployment !== "docker") {
      throw new PlatformError("Invalid", `Deployment "${spec.deployment}" cannot run on this site, it runs docker`);
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
        const isWhole = stateOfAll(present) !== "absent";
        if (!isWhole || present.some(({ fingerprint }) => fingerprint !== fingerprintOf(spec))) {
          return await deploy(spec, false, operation);
        }
        for (const container of present) if (!isWell(container)) await startContainer(container.id, spec, operation);
        await waitRunning(spec, false, operation);
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
        await takeDown(ref);
        await belongings.removeVolumes(ref);
      }),
    ...createOutput(engine, site),
    async list() {
      const byKey = Map.groupBy(await listContainers(engine, site), ({ ref }) => ref.key);
      const found = [...byKey.values()].map((containers) => ({ ...containers[0]!.ref, state: stateOfAll(containers) }));
      // What only its networks and volumes are left of is found, too, so that it goes.
      const rests = (await belongings.owners()).filter(({ key }) => !byKey.has(key));
      return [...found, ...rests.map((ref) => ({ ...ref, state: "absent" as const }))];
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
