import type { MetricsStore, Point } from "../../../../shared/metrics/mod.ts";
import type { NotifyHub } from "../../../../shared/notify/mod.ts";
import { AppInst, AppInstKind, AppKind, type AutoProvCount, AutoProvCounts } from "../../../../shared/schema/mod.ts";
import { createAppInst } from "../api/app_inst/create.ts";
import { completeKey } from "../api/app_inst/key.ts";
import { milliseconds } from "../api/device_api.ts";
import type { ApiContext } from "../context.ts";
import { refuse } from "../faults.ts";
import { checkAppInst } from "../rules/app_inst.ts";
import { NO_OVERRIDE } from "../rules/crm_override.ts";
import { clusterDeploymentOf } from "../rules/deployments.ts";
import { Issues } from "../rules/issues.ts";
import { MetricsDatabase } from "./databases.ts";

/** Type of the messages in which matching engines tell of demand. */
export const DEMAND_MESSAGE = "AutoProvCounts";

/** What stands in the place of a policy's name where a matching engine has decided (specification 4.9). */
const DECIDED_BY_DME = "dme-process-now";

/**
 * Takes the demand that matching engines see: what is so great that an instance is wanted at once is followed, all else
 * is kept for the auto-provisioner (specification 4.9).
 */
export function takeDemand(hub: NotifyHub, context: ApiContext, store: MetricsStore | undefined): void {
  const { log } = context;
  hub.onMessage(DEMAND_MESSAGE, (value, child) => {
    if (child.scope !== undefined) return;
    let demand: AutoProvCounts;
    try {
      demand = AutoProvCounts.decode(value);
    } catch (error) {
      return log.warn("Demand of a matching engine cannot be read", { child: child.name, error });
    }
    const [only, ...others] = demand.counts;
    if (only?.processNow === true && others.length === 0) void deploy(context, only);
    else store?.write(MetricsDatabase.metrics, pointsOf(demand));
  });
}

/** The instance may be there, being made, or not wanted by the policies: then that is all there is to say. */
async function deploy(context: ApiContext, { appKey, deployNowKey }: AutoProvCount): Promise<void> {
  const { operations, log } = context;
  const deployment = context.region.cache.get(AppKind, AppKind.keyString(appKey))?.deployment ?? "";
  // Engines do not know which apps run in no cluster.
  const clustered = clusterDeploymentOf(deployment) !== "";
  const clusterInstKey = clustered ? deployNowKey : { cloudletKey: deployNowKey?.cloudletKey };
  const instance = AppInst.create({ key: { appKey, clusterInstKey } });
  const key = () => AppInstKind.keyString(instance.key);
  try {
    completeKey(context, instance);
    const issues = new Issues();
    checkAppInst(instance, issues);
    refuse(issues.list);
    const intent = { reason: "demand", policy: DECIDED_BY_DME } as const;
    const progress = operations.run(
      AppInstKind,
      key(),
      "create",
      (operation) => createAppInst(context, operation, key(), instance, { override: NO_OVERRIDE, intent }),
    );
    for await (const _ of progress.read(new AbortController().signal)) void _;
    log.info("App instance created on demand", { instance: key() });
  } catch (error) {
    log.info("App instance not created on demand", { instance: key(), error });
  }
}

function pointsOf({ dmeNodeName, timestamp, counts }: AutoProvCounts): Point[] {
  return counts.map(({ appKey, cloudletKey, count }) => ({
    measurement: "auto-prov-counts",
    tags: {
      apporg: appKey.organization,
      app: appKey.name,
      ver: appKey.version,
      cloudletorg: cloudletKey.organization,
      cloudlet: cloudletKey.name,
      dmeid: dmeNodeName,
    },
    fields: { count: BigInt(Math.trunc(count)) },
    timeMs: milliseconds(timestamp),
  }));
}
