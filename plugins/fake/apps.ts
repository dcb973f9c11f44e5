import { createHash } from "node:crypto";
import {
  type AppOps,
  type AppOutcome,
  type AppSpec,
  type AppStatus,
  type ObjectRef,
  type OperationContext,
  PlatformError,
} from "../../shared/platform/mod.ts";
import type { Timer } from "../../shared/runtime/mod.ts";
import { addressAt, freePlace, hasOwnAddress, isPerService } from "./addresses.ts";
import { appAmounts, type AppRecord, type Infrastructure, requireRoom } from "./infrastructure.ts";
import { META } from "./meta.ts";
import { createOutput } from "./output.ts";

/** How often it is looked whether somebody wants an instance to die, and how long a dead one stays so. */
const FAULT_INTERVAL_MS = 200;

/** Operations on instances, and their end. */
export interface FakeApps {
  readonly ops: AppOps;
  close(stopApps: boolean): Promise<void>;
}

/**
 * Instances that are pretended to run. A file of an instance's name in the folder `faults` lets it die; it is started
 * again, as everywhere.
 */
export function createApps(infrastructure: Infrastructure): FakeApps {
  const { apps, clusters, steps, context } = infrastructure;
  const { files, clock, random } = context;
  const faults = `${context.directory}/faults`;
  const listeners = new Set<(key: string) => void>();
  let timer: Timer | undefined;
  let closed = false;

  async function put(record: AppRecord): Promise<void> {
    await apps.put(record);
    for (const listener of listeners) listener(record.key);
  }

  function check(spec: AppSpec): void {
    if (!META.deployments.includes(spec.deployment)) {
      throw new PlatformError("Invalid", `Deployment ${spec.deployment} does not run on a fake site`);
    }
    if (spec.imagePath.includes(infrastructure.missingImages)) {
      throw new PlatformError("NotFound", `Image ${spec.imagePath} does not exist`);
    }
    if (spec.deployment !== "vm" && (!spec.cluster || !clusters.get(spec.cluster.key))) {
      throw new PlatformError("NotFound", `Cluster ${spec.cluster?.name ?? ""} is not there`);
    }
    requireRoom(infrastructure, spec.key, appAmounts(infrastructure, spec));
  }

  async function deploy(spec: AppSpec): Promise<AppOutcome> {
    const runtimeId = `${spec.id}-${random.uuid().slice(0, 8)}`;
    const { key, id } = spec;
    const place = hasOwnAddress(infrastructure, spec) ? apps.get(key)?.place ?? freePlace(infrastructure) : undefined;
    await put({ key, id, spec, fingerprint: fingerprintOf(spec), runtimeId, state: "running", place });
    return { runtimeIds: [runtimeId] };
  }

  async function create(spec: AppSpec, operation: OperationContext): Promise<AppOutcome> {
    check(spec);
    await steps.play("create-appinst", spec.key, operation, linesOf(spec));
    const before = apps.get(spec.key);
    if (before?.state === "running" && before.fingerprint === fingerprintOf(spec)) {
      return { runtimeIds: [before.runtimeId] };
    }
    return await deploy(spec);
  }

  async function update(spec: AppSpec, operation: OperationContext): Promise<AppOutcome> {
    check(spec);
    await steps.play("update-appinst", spec.key, operation, [[
      "Updating app instance",
      `to revision ${spec.revision}`,
    ]]);
    return await deploy(spec);
  }

  function addressesOf({ place, spec }: AppRecord): Pick<AppStatus, "address" | "portAddresses"> {
    if (place === undefined) return {};
    const address = addressAt(infrastructure, place);
    if (!isPerService(context.cloudlet.organization)) return { address };
    const ports = spec.ports.map(({ protocol, internalPort }) => [`${protocol}:${internalPort}`, address]);
    return { address, portAddresses: Object.fromEntries(ports) };
  }

  async function setPower(ref: ObjectRef, power: "on" | "off" | "reboot", operation: OperationContext): Promise<void> {
    const record = apps.get(ref.key);
    if (!record) throw new PlatformError("NotFound", "The instance is not there");
    if (record.spec.deployment !== "vm") throw new PlatformError("Invalid", "Only machines can be switched");
    await steps.play("power", ref.key, operation, [[power === "reboot" ? "Rebooting VM" : `Switching VM ${power}`]]);
    await put({ ...record, state: power === "off" ? "stopped" : "running" });
  }

  async function letDie(): Promise<void> {
    if (!await files.exists(faults)) return;
    for (const { name } of await files.list(faults)) {
      await files.remove(`${faults}/${name}`);
      const record = apps.all().find(({ id }) => id === name);
      if (record) await put({ ...record, state: "restarting" });
    }
  }

  async function round(): Promise<void> {
    // Those that died in the round before come back.
    for (const record of apps.all().filter(({ state }) => state === "restarting")) {
      await put({ ...record, state: "running", runtimeId: `${record.id}-${random.uuid().slice(0, 8)}` });
    }
    await letDie();
  }

  function watchFaults(): void {
    timer = clock.setTimer(() => {
      round().catch((error) => context.log.warn("Faults cannot be looked at", { error: String(error) })).finally(() => {
        if (!closed) watchFaults();
      });
    }, FAULT_INTERVAL_MS);
  }
  watchFaults();

  return {
    ops: {
      create,
      update,
      setPower,
      ...createOutput(infrastructure),
      async delete(ref, operation) {
        await steps.play("delete-appinst", ref.key, operation, [["Deleting app instance"]]);
        await apps.delete(ref.key);
      },
      list: () => Promise.resolve(apps.all().map(({ key, id, state }) => ({ key, id, state }))),
      status({ key }) {
        const record = apps.get(key);
        if (!record) return Promise.resolve({ state: "absent", runtimeIds: [], probes: [] });
        const { state, runtimeId } = record;
        return Promise.resolve({ state, runtimeIds: [runtimeId], probes: [], ...addressesOf(record) });
      },
      watch(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    async close(stopApps) {
      closed = true;
      timer?.cancel();
      if (!stopApps) return;
      for (const record of apps.all()) await put({ ...record, state: "stopped" });
    },
  };
}

function linesOf({ deployment, imagePath }: AppSpec): readonly (readonly [string, string?])[] {
  switch (deployment) {
    case "vm":
      return [["Creating VM", `from ${imagePath}`], ["Creating VM", "waiting for its address"], [
        "Setting up load balancer",
      ]];
    case "helm":
      return [["Installing chart", imagePath], ["Waiting for app to become ready"]];
    case "docker":
      return [["Fetching image", imagePath], ["Starting containers"]];
    default:
      return [["Creating kubernetes objects"], ["Waiting for app to become ready"]];
  }
}

/** Changes when the instance has to be deployed anew. */
function fingerprintOf(spec: AppSpec): string {
  const { imagePath, command, manifest, ports, flavor, configs, revision } = spec;
  const parts = [imagePath, command, manifest, ports, flavor, configs ?? [], revision];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
