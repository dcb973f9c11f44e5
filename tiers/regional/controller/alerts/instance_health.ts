import {
  AlertKind,
  AppInstKind,
  CloudletInfoKind,
  CloudletKind,
  dme,
  enumDescriptor,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";
import { KeyedQueue } from "../operations/keyed_queue.ts";
import type { Region } from "../state/region.ts";
import { appInstOf, type Labels } from "./labels.ts";
import { AlertName } from "./names.ts";

const { HEALTH_CHECK_OK, HEALTH_CHECK_UNKNOWN, HEALTH_CHECK_CLOUDLET_OFFLINE } = dme.HealthCheck;

/** The worse comes first: of several alerts about one instance that one counts (services specification 4.7). */
const BY_GRAVITY: readonly dme.HealthCheck[] = [
  HEALTH_CHECK_CLOUDLET_OFFLINE,
  dme.HealthCheck.HEALTH_CHECK_ROOTLB_OFFLINE,
  dme.HealthCheck.HEALTH_CHECK_SERVER_FAIL,
];

/**
 * Lets AppInstDown alerts set the health of the instance that their labels name. When one goes, what is left decides; an
 * alert without a status that is known, or with an incomplete key, does nothing.
 *
 * @returns what ends that
 */
export function followInstanceAlerts(region: Region, controller: string, log: Logger): () => Promise<void> {
  const { cache } = region;
  const queue = new KeyedQueue(async (task) => {
    try {
      await task();
    } catch (error) {
      log.warn("Health of an instance could not be stored", { error });
    }
  });
  const unsubscribe = cache.subscribe(({ objects }) => {
    for (const { kind, object, old } of objects) {
      if (kind.kind !== AlertKind.kind) continue;
      const alert = (object ?? old) as { labels: Labels; controller: string };
      if (alert.labels["alertname"] !== AlertName.appInstDown) continue;
      // One controller is enough: the alert's own, or whoever is left of it.
      if (alert.controller !== controller && cache.hasController(alert.controller)) continue;
      const instance = appInstOf(alert.labels);
      const cleared = object === undefined ? healthOf(alert.labels["status"] ?? "") : undefined;
      if (instance !== undefined) queue.submit(instance, () => apply(instance, cleared));
    }
  });

  /** @param cleared health that an alert stood for which is gone */
  async function apply(instanceKey: string, cleared: dme.HealthCheck | undefined): Promise<void> {
    const firing = [...cache.table(AlertKind).values()].filter(({ labels }) =>
      labels["alertname"] === AlertName.appInstDown && appInstOf(labels) === instanceKey
    ).map(({ labels }) => healthOf(labels["status"] ?? "")).filter((health) => health !== undefined);
    const worst = BY_GRAVITY.find((health) => firing.includes(health)) ?? firing[0];
    if (worst === undefined && cleared === undefined) return;
    await region.change(async (tx) => {
      const instance = await tx.get(AppInstKind, instanceKey);
      if (instance?.state !== TrackedState.READY) return;
      // What its site has said of it since counts more than the end of an alert.
      if (worst === undefined && instance.healthCheck !== cleared) return;
      const healthCheck = worst ?? await withoutAlerts(instance.key.clusterInstKey.cloudletKey);
      if (instance.healthCheck === healthCheck) return;
      tx.put(AppInstKind, { ...instance, healthCheck });
      log.info(healthCheck === HEALTH_CHECK_OK ? "AppInst online" : "AppInst offline", { instance: instanceKey });

      async function withoutAlerts(key: Parameters<typeof CloudletKind.keyString>[0]): Promise<dme.HealthCheck> {
        const info = await tx.get(CloudletInfoKind, CloudletKind.keyString(key));
        const offline = info?.state === dme.CloudletState.CLOUDLET_STATE_OFFLINE;
        return offline ? HEALTH_CHECK_CLOUDLET_OFFLINE : HEALTH_CHECK_OK;
      }
    });
  }

  return async () => {
    unsubscribe();
    await queue.settled();
  };
}

/** Health by its name in any spelling, or by its number; undefined for what is neither, or no fault. */
function healthOf(status: string): dme.HealthCheck | undefined {
  const values = enumDescriptor(dme.HealthCheck);
  const found = /^\d+$/.test(status) ? values.byNumber(Number(status)) : values.parse(status);
  const health = found?.number as dme.HealthCheck | undefined;
  return health === HEALTH_CHECK_OK || health === HEALTH_CHECK_UNKNOWN ? undefined : health;
}
