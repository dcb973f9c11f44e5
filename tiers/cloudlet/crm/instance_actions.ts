import type { Clock } from "../../../shared/runtime/mod.ts";
import {
  type AppSpec,
  type AppStatus,
  type CloudletPlatform,
  infrastructureName,
  type ObjectRef,
  type OperationContext,
  PlatformError,
  type Power,
} from "../../../shared/platform/mod.ts";
import {
  type AppInst,
  AppInstInfo,
  AppInstKind,
  ClusterInstKind,
  dme,
  PowerState,
  TrackedState,
} from "../../../shared/schema/mod.ts";
import type { HealthReport } from "./health.ts";
import type { Replicas } from "./replicas.ts";
import { appInstId, appSpec, clusterKeyOf } from "./specs.ts";
import type { TrackedActions } from "./tracked_work.ts";
import { versionOf } from "./object_version.ts";

/** How long an instance waits for what it refers to: it travels on the same stream, at most a moment apart. */
const NEEDS_WAIT_MS = 10_000;
const NEEDS_LOOK_MS = 50;

/** What is done with app instances, and what is known of them here. */
export interface InstanceActions extends TrackedActions<AppInst> {
  /** Both names of an instance; undefined when it was never heard of. */
  ref(key: string): ObjectRef | undefined;
  /** Remembers the names of an instance that was found. */
  remember(ref: ObjectRef): void;
  /** State of an instance in the infrastructure. */
  status(key: string): Promise<AppStatus>;
  /** Takes what a look at a ready instance found into its report. */
  reportHealth(key: string, report: HealthReport): void;
}

/** Makes the actions. `clusterState` tells how the work on a cluster stands. */
export function instanceActions(
  { replicas, platform, clock, clusterState }: {
    replicas: Replicas;
    platform: () => CloudletPlatform;
    clock: Clock;
    clusterState: (key: string) => TrackedState | undefined;
  },
): InstanceActions {
  const { instances, instanceInfo, lookup } = replicas;
  const ids = new Map<string, string>();
  const healths = new Map<string, HealthReport>();
  const powers = new Map<string, PowerState>();

  function refOf(key: string): ObjectRef {
    const object = instances.getByString(key);
    const parsed = AppInstKind.parseKey(key);
    const { organization, name, version } = parsed.appKey;
    const id = ids.get(key) ?? (object ? appInstId(object) : infrastructureName([organization, name, version], key));
    return { key, id };
  }

  async function specOf(instance: AppInst, operation: OperationContext): Promise<AppSpec> {
    const withCluster = platform().clusters !== undefined;
    const until = clock.monotonic() + NEEDS_WAIT_MS;
    for (;;) {
      operation.signal.throwIfAborted();
      try {
        const spec = appSpec(instance, lookup, withCluster);
        if (!spec.cluster || clusterState(ClusterInstKind.keyString(clusterKeyOf(instance))) === TrackedState.READY) {
          return spec;
        }
        throw new PlatformError("NotFound", `Cluster instance ${spec.cluster.name} is not ready on this site`);
      } catch (error) {
        if (clock.monotonic() >= until) throw error;
      }
      await clock.sleep(NEEDS_LOOK_MS, operation.signal);
    }
  }

  function deploy(action: "create" | "update") {
    return async (key: string, instance: AppInst, operation: OperationContext): Promise<void> => {
      const spec = await specOf(instance, operation);
      ids.set(key, spec.id);
      const { apps } = platform();
      await (action === "update" && apps.update ? apps.update(spec, operation) : apps.create(spec, operation));
      healths.set(key, { health: dme.HealthCheck.HEALTH_CHECK_OK, status: await apps.status(spec) });
    };
  }

  const redeploy = deploy("update");
  const make = deploy("create");

  /** Carries out what is asked of the power of a machine. */
  async function switchPower(key: string, wanted: WantedPower, operation: OperationContext): Promise<void> {
    const { apps, meta } = platform();
    if (!apps.setPower) throw new PlatformError("Invalid", `Platform ${meta.type} cannot switch machines`);
    const ref = refOf(key);
    powers.set(key, wanted.during);
    actions.report(key, { state: TrackedState.UPDATING, errors: [], status: undefined });
    try {
      await apps.setPower(ref, wanted.power, operation);
    } catch (error) {
      powers.set(key, PowerState.POWER_STATE_ERROR);
      throw error;
    }
    powers.set(key, wanted.after);
    const status = await apps.status(ref);
    healths.set(key, { health: healthOf(status), status });
  }

  const actions: InstanceActions = {
    object: (key) => instances.getByString(key),
    async create(key, instance, operation) {
      // A machine that its owner has switched off is there, and stays off.
      if (instance.powerState === PowerState.POWER_OFF && platform().apps.setPower) {
        const status = await platform().apps.status(refOf(key));
        if (status.state === "stopped") return void healths.set(key, { health: healthOf(status), status });
      }
      await make(key, instance, operation);
    },
    async update(key, instance, operation) {
      const wanted = wantedPower(instance.powerState);
      await (wanted ? switchPower(key, wanted, operation) : redeploy(key, instance, operation));
    },
    async delete(key, operation) {
      await platform().apps.delete(refOf(key), operation);
      healths.delete(key);
    },
    async found(key, instance) {
      ids.set(key, appInstId(instance));
      const status = await platform().apps.status(refOf(key));
      healths.set(key, { status, health: healthOf(status) });
    },
    report(key, { state, errors, status }) {
      const health = state === TrackedState.READY ? healths.get(key) : undefined;
      instanceInfo.put(AppInstInfo.create({
        key: AppInstKind.parseKey(key),
        state,
        errors: [...errors],
        status,
        healthCheck: health?.health ?? dme.HealthCheck.HEALTH_CHECK_UNKNOWN,
        runtimeInfo: health && { containerIds: [...health.status.runtimeIds] },
        address: health?.status.address ?? "",
        internalPortToLbIp: { ...health?.status.portAddresses },
        powerState: powers.get(key) ?? PowerState.POWER_STATE_UNKNOWN,
        answeredRequest: versionOf(instances.getByString(key)),
      }));
    },
    retract(key) {
      ids.delete(key);
      healths.delete(key);
      powers.delete(key);
      instanceInfo.delete(AppInstKind.parseKey(key));
    },
    ref: (key) => ids.has(key) || instances.getByString(key) ? refOf(key) : undefined,
    remember: ({ key, id }) => void ids.set(key, id),
    status: (key) => platform().apps.status(refOf(key)),
    reportHealth(key, report) {
      const before = healths.get(key);
      if (before?.health === report.health && factsOf(before) === factsOf(report)) return;
      healths.set(key, report);
      actions.report(key, { state: TrackedState.READY, errors: [], status: undefined });
    },
  };
  return actions;
}

/** A request about the power of a machine, and the states that answer it. */
interface WantedPower {
  readonly power: Power;
  readonly during: PowerState;
  readonly after: PowerState;
}

function wantedPower(state: PowerState): WantedPower | undefined {
  switch (state) {
    case PowerState.POWER_ON_REQUESTED:
    case PowerState.POWERING_ON:
      return { power: "on", during: PowerState.POWERING_ON, after: PowerState.POWER_ON };
    case PowerState.POWER_OFF_REQUESTED:
    case PowerState.POWERING_OFF:
      return { power: "off", during: PowerState.POWERING_OFF, after: PowerState.POWER_OFF };
    case PowerState.REBOOT_REQUESTED:
    case PowerState.REBOOTING:
      // A machine that has been started anew is simply on.
      return { power: "reboot", during: PowerState.REBOOTING, after: PowerState.POWER_ON };
    default:
      return undefined;
  }
}

/** What of a look is reported beside the health. */
function factsOf({ status: { runtimeIds, address, portAddresses } }: HealthReport): string {
  return JSON.stringify([runtimeIds, address, portAddresses]);
}

function healthOf({ state }: AppStatus): dme.HealthCheck {
  return state === "running" ? dme.HealthCheck.HEALTH_CHECK_OK : dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL;
}
