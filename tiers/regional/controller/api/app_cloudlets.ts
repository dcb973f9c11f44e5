import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import {
  type App,
  AppInst,
  type Cloudlet,
  CloudletInfoKind,
  type CloudletKey,
  CloudletKind,
  ClusterInst,
  type DeploymentCloudletRequest,
  type Flavor,
  FlavorKind,
} from "../../../../shared/schema/mod.ts";
import type { ApiContext } from "../context.ts";
import { notFound, refuse } from "../faults.ts";
import { defaultImage, isDeployment } from "../rules/app_images.ts";
import { Issues } from "../rules/issues.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import { needsOfAppInst, needsOfClusterInst, readSite, requireResources, type Site, sizeFor } from "./resources/mod.ts";

/** Nodes of a Kubernetes cluster for which no number is given (specification 2.5). */
const DEFAULT_NODES = 2;

/**
 * Cloudlets on which a flavor of the infrastructure fits an app's default flavor (specification 2.5); with
 * `dryRunDeploy` those of them that have enough left for what deploying it would make.
 */
export async function* cloudletsForApp(
  { region, apps }: ApiContext,
  request: DeploymentCloudletRequest,
): AsyncGenerator<CloudletKey> {
  const { app } = request;
  const issues = new Issues();
  issues.check(app.defaultFlavor.name !== "", "app.default_flavor.name", "", "is required");
  defaultImage(app, apps.places);
  if (request.dryRunDeploy) {
    issues.check(isDeployment(app.deployment), "app.deployment", app.deployment, "is required for dry_run_deploy");
  }
  refuse(issues.list);
  const flavorKey = FlavorKind.keyString(app.defaultFlavor);
  const flavor = region.cache.get(FlavorKind, flavorKey);
  if (flavor === undefined) throw notFound(FlavorKind, flavorKey);
  for (const key of region.cache.sortedKeys(CloudletKind)) {
    const cloudlet = region.cache.get(CloudletKind, key);
    // Of a site that has never reported nobody knows what it has.
    if (cloudlet === undefined || region.cache.get(CloudletInfoKind, key) === undefined) continue;
    if (await region.change((tx) => fits(tx, cloudlet, request, flavor))) yield cloudlet.key;
  }
}

async function fits(
  tx: ObjectTx,
  cloudlet: Cloudlet,
  { app, dryRunDeploy, numNodes }: DeploymentCloudletRequest,
  flavor: Flavor,
): Promise<boolean> {
  try {
    const site = await readSite(tx, cloudlet);
    sizeFor(site, flavor);
    if (dryRunDeploy) await requireResources(tx, site, wouldTake(site, app, flavor, numNodes || DEFAULT_NODES));
    return true;
  } catch (error) {
    // That is how shortages and missing sizes are told.
    if (error instanceof RpcError && error.code === Status.FAILED_PRECONDITION) return false;
    throw error;
  }
}

/** What a new deployment of the app would take: its own machine, or those of a cluster made for it. */
function wouldTake(site: Site, app: App, flavor: Flavor, numNodes: number) {
  const cloudletKey = site.cloudlet.key;
  if (app.deployment === "vm" || app.deployment === "process") {
    return needsOfAppInst(site, AppInst.create({ key: { clusterInstKey: { cloudletKey } } }), app, flavor);
  }
  const isDocker = app.deployment === "docker";
  const cluster = ClusterInst.create({
    key: { cloudletKey, clusterKey: { name: "dry-run" } },
    deployment: isDocker ? "docker" : "kubernetes",
    numMasters: isDocker ? 0 : 1,
    numNodes: isDocker ? 0 : numNodes,
  });
  return needsOfClusterInst(site, cluster, flavor);
}
