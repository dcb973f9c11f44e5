import type { Clock } from "../../../shared/runtime/mod.ts";
import {
  type AppSpec,
  type AppStatus,
  type CloudletPlatform,
  infrastructureName,
  type ObjectRef,
  type OperationContext,
  PlatformError,
} from "../../../shared/platform/mod.ts";
import {
  type AppInst,
  AppInstInfo,
  AppInstKind,
  ClusterInstKind,
  dme,
  TrackedState,
} from "../../../shared/schema/mod.ts";
import type { HealthReport } from "./health.ts";
import type { Replicas } from "./replicas.ts";
import { appInstId, appSpec, clusterKeyOf } from "./specs.ts";
import type { TrackedActions } from "./tracked_work.ts";

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
        if (!withCluster || clusterState(ClusterInstKind.keyString(clusterKeyOf(instance))) === TrackedState.READY) {
          return spec;
        }
        throw new PlatformError("NotFound", `Cluster instance ${spec.cluster!.name} is not ready on this site`);
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

  const actions: InstanceActions = {
    object: (key) => instances.getByString(key),
    create: deploy("create"),
    update: deploy("update"),
    async delete(key, operation) {
      await platform().apps.delete(refOf(key), operation);
      healths.delete(key);
    },
    async found(key, instance) {
      ids.set(key, appInstId(instance));
      const status = await platform().apps.status(refOf(key));
      const runs = status.state === "running";
      const { HEALTH_CHECK_OK, HEALTH_CHECK_SERVER_FAIL } = dme.HealthCheck;
      healths.set(key, { status, health: runs ? HEALTH_CHECK_OK : HEALTH_CHECK_SERVER_FAIL });
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
      }));
    },
    retract(key) {
      ids.delete(key);
      healths.delete(key);
      instanceInfo.delete(AppInstKind.parseKey(key));
    },
    ref: (key) => ids.has(key) || instances.getByString(key) ? refOf(key) : undefined,
    remember: ({ key, id }) => void ids.set(key, id),
    status: (key) => platform().apps.status(refOf(key)),
    reportHealth(key, report) {
      const before = healths.get(key);
      const same = before?.health === report.health &&
        before.status.runtimeIds.join() === report.status.runtimeIds.join();
      if (same) return;
      healths.set(key, report);
      actions.report(key, { state: TrackedState.READY, errors: [], status: undefined });
    },
  };
  return actions;
}
