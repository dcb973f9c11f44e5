import {
  ManifestError,
  parseModuleSource,
  parseProcessManifest,
  type ProcessManifest,
} from "../../shared/manifest/mod.ts";
import {
  type AppOps,
  type AppOutcome,
  type AppSpec,
  type OperationContext,
  type PlatformContext,
  PlatformError,
  requireContainer,
  throwIfEnded,
  waitUntilUp,
} from "../../shared/platform/mod.ts";
import type { SignalForeign } from "./foreign_process.ts";
import { Instance, type InstanceDeps, stopAllIn } from "./instance.ts";
import { checkSelfContained } from "./module_check.ts";
import { loadModule } from "./module_file.ts";
import { readLog } from "./read_log.ts";
import { checkPortsFree } from "./ports_free.ts";
import type { ProcessTable } from "./process_table.ts";
import { fingerprintOf, instanceFolder, type InstanceRecord, isInstanceId, readRecord, writeRecord } from "./record.ts";
import { MAX_PORTS, portMap, sandboxOf } from "./sandbox.ts";

/** What the operations work with. */
export interface ProcessAppsDeps {
  readonly context: PlatformContext;
  readonly table: ProcessTable;
  readonly signalForeign: SignalForeign;
  readonly restartDelayMs: number;
  readonly startTimeoutMs: number;
}

/** The operations, and what the platform itself needs around them. */
export interface ProcessApps {
  readonly ops: AppOps;
  /** Takes over what an earlier run left: adopts what runs, starts again what died, ends what has no record. */
  recover(): Promise<void>;
  close(stopApps: boolean): Promise<void>;
}

/** Makes the operations on instances below the plugin's folder. */
export function createAppOps(deps: ProcessAppsDeps): ProcessApps {
  const { context, table } = deps;
  const { files, clock } = context;
  const root = `${context.directory}/instances`;
  const instances = new Map<string, Instance>();
  const listeners = new Set<(key: string) => void>();
  const instanceDeps: InstanceDeps = {
    ...context,
    ...deps,
    changed: (key) => listeners.forEach((listener) => listener(key)),
  };

  function makeInstance(record: InstanceRecord, manifest: ProcessManifest): Instance {
    const folder = instanceFolder(root, record.spec.id);
    const sandbox = sandboxOf(record.spec, manifest, {
      region: context.region,
      cloudlet: context.cloudlet,
      modulePath: folder.module(record.module),
      scratchFolder: folder.scratch,
      cacheFolder: folder.cache,
    });
    return new Instance(record, folder, sandbox, instanceDeps);
  }

  async function deploy(spec: AppSpec, operation: OperationContext): Promise<AppOutcome> {
    if (!isInstanceId(spec.id)) throw new PlatformError("Invalid", `Name "${spec.id}" of the instance is not valid`);
    const manifest = checkedManifest(spec);
    const source = asInvalid(() => parseModuleSource(spec.imagePath));
    await remove(spec.id);
    const folder = instanceFolder(root, spec.id);
    try {
      await files.makeDirectory(folder.scratch, { mode: 0o700 });
      await files.makeDirectory(folder.cache, { mode: 0o700 });
      operation.progress("Fetching the module");
      const access = { files, fetch: context.fetch, roots: context.moduleRoots };
      const { bytes, fileName } = await loadModule(source, access, operation);
      await files.writeAtomic(folder.module(fileName), bytes, { mode: 0o600 });
      throwIfEnded(operation, clock.now());
      operation.progress("Checking the module");
      await checkSelfContained({
        ...context,
        modulePath: folder.module(fileName),
        cacheFolder: folder.cache,
        shownName: spec.imagePath.split("#")[0]!,
      });
      await checkPortsFree(spec.ports);
      throwIfEnded(operation, clock.now());
      const record: InstanceRecord = { version: 1, spec, fingerprint: fingerprintOf(spec), module: fileName };
      await writeRecord(files, folder, record);
      const instance = makeInstance(record, manifest);
      instances.set(spec.id, instance);
      operation.progress("Starting the app");
      instance.start();
      await waitUntilUp(() => instance.status, { clock, timeoutMs: deps.startTimeoutMs, failOnDeath: true }, operation);
      return { runtimeIds: instance.status.runtimeIds };
    } catch (error) {
      await remove(spec.id);
      throw error;
    }
  }

  async function remove(id: string): Promise<void> {
    const folder = instanceFolder(root, id);
    const instance = instances.get(id);
    if (instance) {
      await instance.stop();
      instances.delete(id);
    } else await stopAllIn(folder.path, instanceDeps);
    await files.remove(folder.path, { recursive: true });
  }

  const ops: AppOps = {
    async create(spec, operation) {
      throwIfEnded(operation, clock.now());
      const present = instances.get(spec.id);
      if (!present || present.record.fingerprint !== fingerprintOf(spec)) return await deploy(spec, operation);
      if (present.status.state === "stopped") present.start();
      await waitUntilUp(() => present.status, { clock, timeoutMs: deps.startTimeoutMs, failOnDeath: false }, operation);
      return { runtimeIds: present.status.runtimeIds };
    },
    update: deploy,
    async delete(ref) {
      if (!isInstanceId(ref.id)) return;
      await remove(ref.id);
    },
    exec() {
      throw new PlatformError(
        "Invalid",
        "This site runs apps as sandboxed modules, in which there is no shell and no other program to run",
      );
    },
    logs(ref, options, operation) {
      const instance = instances.get(ref.id);
      if (!instance) throw new PlatformError("NotFound", `Instance ${ref.id} is not there`);
      requireContainer(options.containerId, instance.status.runtimeIds, ref);
      return readLog(instance.folder.log, options, clock, operation);
    },
    list() {
      return Promise.resolve(
        [...instances.values()].map(({ record, status }) => ({
          key: record.spec.key,
          id: record.spec.id,
          state: status.state,
        })),
      );
    },
    status(ref) {
      const absent = { state: "absent", runtimeIds: [], probes: [] } as const;
      return Promise.resolve(instances.get(ref.id)?.status ?? absent);
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };

  return {
    ops,
    async recover() {
      await files.makeDirectory(root, { mode: 0o700 });
      const running = await table.below(root);
      for (const { name, kind } of await files.list(root)) {
        if (kind !== "directory") continue;
        const folder = instanceFolder(root, name);
        const record = await readRecord(files, folder);
        const manifest = record && manifestOf(record.spec);
        if (!record || record.spec.id !== name || !manifest) {
          await stopAllIn(folder.path, instanceDeps);
          await files.remove(folder.path, { recursive: true });
          continue;
        }
        const instance = makeInstance(record, manifest);
        instances.set(name, instance);
        const pids = [...running].filter(([path]) => path.startsWith(`${folder.path}/`)).flatMap(([, found]) => found);
        if (pids.length > 1) await stopAllIn(folder.path, instanceDeps);
        if (pids.length === 1) instance.adopt(pids[0]!);
        else instance.start();
      }
    },
    async close(stopApps) {
      await Promise.all([...instances.values()].map((instance) => stopApps ? instance.stop() : instance.release()));
      instances.clear();
    },
  };
}

function checkedManifest(spec: AppSpec): ProcessManifest {
  if (spec.deployment !== "process") {
    throw new PlatformError("Invalid", `Deployment "${spec.deployment}" cannot run on this site, it runs process`);
  }
  const ports = Object.keys(portMap(spec.ports)).length;
  if (ports > MAX_PORTS) {
    throw new PlatformError("Invalid", `The app has ${ports} ports, this site opens at most ${MAX_PORTS}`);
  }
  return asInvalid(() => parseProcessManifest(spec.manifest, { flavorMemoryMb: spec.flavor.ramMb }));
}

function manifestOf(spec: AppSpec): ProcessManifest | undefined {
  try {
    return checkedManifest(spec);
  } catch {
    return undefined;
  }
}

function asInvalid<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ManifestError) throw new PlatformError("Invalid", error.message, { cause: error });
    throw error;
  }
}
