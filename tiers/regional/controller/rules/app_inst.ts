import {
  type App,
  type AppInst,
  enumText,
  ImageType,
  PlatformType,
  PowerState,
} from "../../../../shared/schema/mod.ts";
import { asksForCluster, NO_CLUSTER } from "./cluster_names.ts";
import type { Platform } from "./cluster_inst.ts";
import { clusterDeploymentOf } from "./deployments.ts";
import { dockerForm } from "./app_manifest.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";

const CLUSTER = "key.cluster_inst_key.cluster_key.name";

/**
 * Fills in the key of a new instance (specification 3.10, step 2).
 *
 * @param organizations that of the platform's clusters, and that of the only cluster where the cloudlet is one
 */
export function defaultAppInstKey(
  instance: AppInst,
  organizations: { readonly platformOrg: string; readonly only: string | undefined },
): void {
  const cluster = instance.key.clusterInstKey;
  if (cluster.clusterKey.name === "") cluster.clusterKey.name = NO_CLUSTER;
  if (cluster.organization !== "") return;
  const { platformOrg, only } = organizations;
  const made = asksForCluster(cluster.clusterKey.name) ? platformOrg : instance.key.appKey.organization;
  cluster.organization = only ?? made;
}

/** Checks what can be said of a new instance without looking at other objects. */
export function checkAppInst(instance: AppInst, issues: Issues): void {
  const { appKey, clusterInstKey } = instance.key;
  const { clusterKey, cloudletKey, organization } = clusterInstKey;
  checkName(issues, "key.app_key.organization", appKey.organization);
  checkName(issues, "key.app_key.name", appKey.name);
  checkName(issues, "key.app_key.version", appKey.version);
  checkName(issues, "key.cluster_inst_key.cloudlet_key.organization", cloudletKey.organization);
  checkName(issues, "key.cluster_inst_key.cloudlet_key.name", cloudletKey.name);
  checkName(issues, "key.cluster_inst_key.organization", organization);
  // Names of clusters that the platform made are taken here, so only the form is checked.
  checkName(issues, CLUSTER, clusterKey.name);
  issues.check(
    instance.powerState === PowerState.POWER_STATE_UNKNOWN,
    "power_state",
    enumText(PowerState, instance.powerState),
    "may not be set at creation: a new instance is on",
  );
  const real = instance.realClusterName;
  if (real === "") return;
  checkName(issues, "real_cluster_name", real);
  issues.check(
    asksForCluster(clusterKey.name) || real === clusterKey.name || real === NO_CLUSTER,
    "real_cluster_name",
    real,
    "must be the cluster of the key, unless that asks for one by a name that begins with autocluster",
  );
}

/** Checks whether an app of this kind can run on a cloudlet of this kind at all (specification 3.10, steps 4 and 7). */
export function checkPlatformFit(
  app: App,
  instance: AppInst,
  { type: platform, features }: Platform,
  issues: Issues,
): void {
  const type = enumText(PlatformType, platform);
  const runs: readonly string[] = features.deployments;
  issues.check(
    runs.includes(app.deployment),
    "key.cluster_inst_key.cloudlet_key",
    instance.key.clusterInstKey.cloudletKey.name,
    `cannot run on platform ${type}: it runs ${runs.join(", ")}, and the app is of deployment ${app.deployment}`,
  );
  issues.check(
    platform !== PlatformType.PLATFORM_TYPE_DOCKER || dockerForm(app) !== "compose archive",
    "key.cluster_inst_key.cloudlet_key",
    instance.key.clusterInstKey.cloudletKey.name,
    `cannot run on platform ${type}: it takes one compose file as text, and no archives of them`,
  );
  issues.check(
    app.imageType !== ImageType.IMAGE_TYPE_OVF || features.ovfImages,
    "key.cluster_inst_key.cloudlet_key",
    instance.key.clusterInstKey.cloudletKey.name,
    `cannot run on platform ${type}: it takes no machine images of type OVF`,
  );
  issues.check(
    !instance.dedicatedIp || features.dedicatedAppIp,
    "dedicated_ip",
    true,
    `must be false: platform ${type} gives instances no addresses of their own`,
  );
  if (features.singleCluster) return;
  const { name } = instance.key.clusterInstKey.clusterKey;
  const cluster = clusterDeploymentOf(app.deployment);
  if (cluster === "") {
    issues.check(name === NO_CLUSTER, CLUSTER, name, `must be empty: ${app.deployment} apps run in no cluster`);
  } else {
    issues.check(name !== NO_CLUSTER, CLUSTER, name, `must name a cluster: ${app.deployment} apps run in one`);
  }
}

/** Values of power that a caller may ask for, with the state that the site is given. */
export function requestedPower(wanted: PowerState): PowerState | undefined {
  switch (wanted) {
    case PowerState.POWER_ON:
      return PowerState.POWER_ON_REQUESTED;
    case PowerState.POWER_OFF:
      return PowerState.POWER_OFF_REQUESTED;
    case PowerState.REBOOT:
      return PowerState.REBOOT_REQUESTED;
    default:
      return undefined;
  }
}
