import type { PlatformFeatures } from "../../../../shared/platform_types/mod.ts";
import { DeleteType } from "../../../../shared/schema/mod.ts";

/** What runs in a cluster. */
export type ClusterDeployment = "kubernetes" | "docker";

/** The clusters in which apps of a deployment run; "" for those that need none (specification 3.4). */
const CLUSTER_OF: Readonly<Record<string, ClusterDeployment | "">> = {
  kubernetes: "kubernetes",
  helm: "kubernetes",
  docker: "docker",
  vm: "",
  process: "",
};

/** The kind of cluster that an app of this deployment needs; "" when it runs in none. */
export function clusterDeploymentOf(deployment: string): ClusterDeployment | "" {
  return CLUSTER_OF[deployment] ?? "";
}

/** Whether instances of this deployment are machines of their own. */
export function isVm(deployment: string): boolean {
  return deployment === "vm";
}

/** Whether the app is one of the platform's own, which go with what they serve (specification 1.9). */
export function isSidecar(app: { readonly delOpt: DeleteType }): boolean {
  return app.delOpt === DeleteType.AUTO_DELETE;
}

/** Kinds of clusters that a kind of infrastructure makes, the usual one first. */
export function clusterDeploymentsOn({ deployments }: PlatformFeatures): readonly ClusterDeployment[] {
  return [...new Set(deployments.map(clusterDeploymentOf))].filter((kind) => kind !== "");
}

/** Whether all that runs at the site sits behind its one machine, and so shares the site's load balancer. */
export function isOneMachine({ localServices, fake, counts }: PlatformFeatures): boolean {
  return (localServices && !fake) || counts === "instances";
}
