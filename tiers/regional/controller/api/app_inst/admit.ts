import {
  type App,
  type AppInst,
  AppInstKind,
  AppKind,
  type ClusterInst,
  ClusterInstKind,
  dme,
  FlavorKind,
  Liveness,
  TrackedState,
} from "../../../../../shared/schema/mod.ts";
import type { ApiContext } from "../../context.ts";
import { alreadyExists, refuse } from "../../faults.ts";
import type { Progress } from "../../operations/progress.ts";
import { checkManifestFlavor } from "../../rules/app_manifest.ts";
import { checkPlatformFit } from "../../rules/app_inst.ts";
import { platformOf } from "../../rules/cluster_inst.ts";
import type { Override } from "../../rules/crm_override.ts";
import { Issues } from "../../rules/issues.ts";
import { balancersOf } from "../../rules/service_names.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { requireReferences } from "../../state/references.ts";
import { requireTrustOf } from "../app_trust.ts";
import { mayBeMadeAnew } from "../cluster_inst/create.ts";
import { applySelection } from "../cluster_selection/apply.ts";
import { selectCluster } from "../cluster_selection/select.ts";
import { clusterKeyOf } from "../cluster_selection/wish.ts";
import { needsOfAppInst, type Site, takeResources } from "../resources/mod.ts";
import { openSite } from "../site_work.ts";
import { type AutoProvIntent, checkCreation } from "./auto_prov.ts";
import { nameAppInst } from "./names.ts";
import { takePorts } from "./ports.ts";
import { giveBack } from "./remove.ts";

/** What a new instance needs beside what its object says. */
export interface CreateOptions {
  readonly override: Override;
  /** Why the auto-provisioner wants the instance; undefined: somebody else does. */
  readonly intent?: AutoProvIntent;
}

/** An instance that was taken in. */
export interface Admission {
  readonly instance: AppInst;
  /** Key of the cluster that is being made for it. */
  readonly madeCluster: string | undefined;
}

/**
 * Takes a new instance in, in one transaction: checks everything, selects its cluster, names it, takes what it shares with
 * others, and stores it (specification 3.10). When its cluster is not there yet, ports and name follow once it is.
 */
export async function admitAppInst(
  tx: ObjectTx,
  { region, zone, platformOrg }: ApiContext,
  wanted: AppInst,
  { override, intent }: CreateOptions,
  progress: Progress,
): Promise<Admission> {
  const instance = AppInstKind.message.create(wanted);
  const before = await existing(tx, instance, override, progress);
  const app = await tx.requireUsable(AppKind, AppKind.keyString(instance.key.appKey));
  const site = await openSite(tx, instance.key.clusterInstKey.cloudletKey, { override });
  if (instance.flavor.name === "") instance.flavor = { ...app.defaultFlavor };
  const issues = new Issues();
  checkPlatformFit(app, instance, platformOf(site.cloudlet), issues);
  refuse(issues.list);
  await requireTrustOf(tx, region.cache, app, site.cloudlet);
  const freed = before && clusterKeyOf(before);
  const wish = { app, instance, site, platformOrg, freed };
  const selection = await selectCluster(tx, region.cache, wish);
  if (intent) {
    await checkCreation(tx, region.cache, app, instance, intent);
    instance.liveness = Liveness.LIVENESS_AUTOPROV;
  }
  const flavor = await tx.requireUsable(FlavorKind, FlavorKind.keyString(instance.flavor));
  checkManifestFlavor(app, flavor, issues);
  refuse(issues.list);
  await takeResources(tx, site, needsOfAppInst(site, instance, app, flavor, balancersOf(app).length));
  await nameAppInst(tx, instance, site, { before, inCluster: selection.kind !== "none" });
  await applySelection(tx, zone, selection, wish, override.ignoresSite);
  await requireReferences(tx, AppInstKind, instance);

  instance.cloudletLoc = site.cloudlet.location;
  if (instance.liveness === Liveness.LIVENESS_UNKNOWN) instance.liveness = Liveness.LIVENESS_STATIC;
  instance.revision = app.revision;
  instance.healthCheck = dme.HealthCheck.HEALTH_CHECK_UNKNOWN;
  const waits = selection.kind === "new" && !override.ignoresSite;
  if (waits) instance.state = TrackedState.CREATING_DEPENDENCIES;
  else {
    const cluster = selection.kind === "none" ? undefined : selection.cluster;
    await completeAppInst(tx, { app, instance, site, cluster, zone }, override.ignoresSite);
  }
  tx.put(AppInstKind, instance);
  return { instance, madeCluster: waits ? ClusterInstKind.keyString(selection.cluster.key) : undefined };
}

/** The instance whose deletion failed and that is made anew; throws E_EXISTS for any other that is there. */
async function existing(
  tx: ObjectTx,
  { key }: AppInst,
  override: Override,
  progress: Progress,
): Promise<AppInst | undefined> {
  const keyString = AppInstKind.keyString(key);
  const before = await tx.get(AppInstKind, keyString);
  if (before === undefined) return undefined;
  if (mayBeMadeAnew(before, override)) {
    // It keeps its names; whatever else it held it takes anew.
    await giveBack(tx, before);
    return before;
  }
  for (const error of before.errors) progress.line(`Previous error: ${error}`);
  throw alreadyExists(AppInstKind, keyString);
}

/** Gives an instance whose cluster is ready its ports and name; the caller stores it. */
export async function completeAppInst(
  tx: ObjectTx,
  wish: {
    readonly app: App;
    readonly instance: AppInst;
    readonly site: Site;
    readonly cluster: ClusterInst | undefined;
    readonly zone: ApiContext["zone"];
  },
  ready: boolean,
): Promise<void> {
  await takePorts(tx, wish);
  wish.instance.state = ready ? TrackedState.READY : TrackedState.CREATE_REQUESTED;
}
