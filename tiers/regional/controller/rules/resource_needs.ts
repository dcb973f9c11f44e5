import { DISK, EXTERNAL_IPS, GPUS, type PlatformFeatures, RAM, VCPUS } from "../../../../shared/platform_types/mod.ts";
import { IpAccess, IpSupport, PlatformType } from "../../../../shared/schema/mod.ts";
import type { SiteSize } from "./flavor_match.ts";

/** What a machine is for. */
export type MachineType =
  | "k8s-cluster-master"
  | "k8s-cluster-node"
  | "docker-cluster-node"
  | "dedicatedrootlb"
  | "appvm"
  | "k8s-lb-svc"
  | "app";

/** Machines of one kind that something consists of. */
export interface Machines {
  readonly type: MachineType;
  readonly count: number;
  /** Undefined: it is no machine of ours, as a load balancer of the infrastructure. */
  readonly size: SiteSize | undefined;
}

/** Amounts by resource, e.g. "RAM" in megabytes. Absent is 0. */
export type Amounts = Readonly<Record<string, number>>;

/** What something takes of a site. */
export interface ResourceNeeds {
  readonly amounts: Amounts;
  /** Machines by the name of their size. */
  readonly flavors: Readonly<Record<string, number>>;
  /** Addresses of the site's own pool: 1 for a load balancer of one's own. */
  readonly dynamicIps: number;
}

/** What of a site decides how much things take there. */
export interface SiteTraits {
  readonly type: PlatformType;
  readonly features: PlatformFeatures;
  readonly ipSupport: IpSupport;
  readonly envVar: Readonly<Record<string, string>>;
  /** Size of a load balancer's machine. */
  readonly loadBalancer: SiteSize;
}

/** Nodes of any one cluster: a limit on each, not on their sum. */
export const NODES_PER_CLUSTER = "Maximum K8s Nodes Per Cluster";

/** Variable of an OpenStack cloudlet that says how its networks are laid out. */
const NETWORK_SCHEME = "MEX_NETWORK_SCHEME";

/** A cluster, as far as it takes resources. */
export interface SizedCluster {
  readonly deployment: string;
  readonly ipAccess: IpAccess;
  readonly numMasters: number;
  readonly numNodes: number;
}

/** What a cluster takes (specification 4.6). `sizes` are those that the matcher found for its flavors. */
export function clusterNeeds(
  cluster: SizedCluster,
  sizes: { readonly node: SiteSize; readonly master: SiteSize },
  site: SiteTraits,
): ResourceNeeds {
  if (site.features.counts === "instances") return needsOf([], site, { dynamicIps: 0 });
  const dedicated = cluster.ipAccess === IpAccess.IP_ACCESS_DEDICATED;
  const machines: Machines[] = [];
  const kubernetes = cluster.deployment === "kubernetes";
  const managed = site.features.needsWorkers;
  if (kubernetes) {
    if (!managed) machines.push({ type: "k8s-cluster-master", count: cluster.numMasters, size: sizes.master });
    machines.push({ type: "k8s-cluster-node", count: cluster.numNodes, size: sizes.node });
  } else machines.push({ type: "docker-cluster-node", count: 1, size: sizes.node });
  if (dedicated && !managed) machines.push({ type: "dedicatedrootlb", count: 1, size: site.loadBalancer });
  const counted = dedicated && !site.features.ipPerService && site.ipSupport === IpSupport.IP_SUPPORT_DYNAMIC;
  return needsOf(machines, site, {
    dynamicIps: counted ? 1 : 0,
    more: kubernetes && site.type === PlatformType.PLATFORM_TYPE_AWS_EKS
      ? {
        "K8s Clusters": 1,
        [NODES_PER_CLUSTER]: cluster.numNodes,
        "Total Number Of K8s Nodes": cluster.numNodes,
      }
      : {},
  });
}

/** An app instance, as far as it takes resources. */
export interface SizedAppInst {
  readonly deployment: string;
  /** Services of its manifest that are load balancers; counts on kubernetes-only platforms. */
  readonly loadBalancerServices: number;
}

/**
 * What an app instance takes beside its cluster: a vm app its machine and load balancer, an app on a kubernetes-only
 * platform its load balancers, an app on a platform without machines of its own what its flavor says; else nothing.
 */
export function appInstNeeds(instance: SizedAppInst, size: SiteSize, site: SiteTraits): ResourceNeeds {
  if (site.features.counts === "instances") return needsOf([{ type: "app", count: 1, size }], site, {});
  if (instance.deployment === "vm") {
    return needsOf(
      [
        { type: "appvm", count: 1, size },
        { type: "dedicatedrootlb", count: 1, size: site.loadBalancer },
      ],
      site,
      {},
    );
  }
  const services = site.features.kubernetesOnly ? instance.loadBalancerServices : 0;
  return needsOf(services === 0 ? [] : [{ type: "k8s-lb-svc", count: services, size: undefined }], site, {});
}

/** Sums up machines. */
function needsOf(
  machines: readonly Machines[],
  site: SiteTraits,
  { dynamicIps = 0, more = {} }: { dynamicIps?: number; more?: Amounts },
): ResourceNeeds {
  const amounts: Record<string, number> = { ...more };
  const flavors: Record<string, number> = {};
  const add = (name: string, amount: number) => {
    if (amount > 0) amounts[name] = (amounts[name] ?? 0) + amount;
  };
  for (const { type, count, size } of machines) {
    if (count === 0) continue;
    if (size !== undefined) {
      add(RAM, size.ramMb * count);
      add(VCPUS, size.vcpus * count);
      add(DISK, size.diskGb * count);
      if (size.optRes === "gpu") add(GPUS, count);
      flavors[size.name] = (flavors[size.name] ?? 0) + count;
    }
    const balancer = type === "dedicatedrootlb" || type === "k8s-lb-svc";
    if (balancer) add(EXTERNAL_IPS, count);
    for (const [name, amount] of Object.entries(extras(site, size !== undefined && type !== "app", balancer))) {
      add(name, amount * count);
    }
  }
  return { amounts, flavors, dynamicIps };
}

/** What one machine takes of the resources that only its platform counts. */
function extras({ type, envVar }: SiteTraits, machine: boolean, balancer: boolean): Amounts {
  switch (type) {
    case PlatformType.PLATFORM_TYPE_OPENSTACK: {
      const floating = balancer && (envVar[NETWORK_SCHEME] ?? "").toLowerCase().includes("floatingip");
      return { Instances: machine ? 1 : 0, "Floating IPs": floating ? 1 : 0 };
    }
    case PlatformType.PLATFORM_TYPE_VCD:
      return { Instances: machine ? 1 : 0 };
    case PlatformType.PLATFORM_TYPE_AWS_EKS:
      return { "Network Load Balancers": balancer ? 1 : 0 };
    default:
      return {};
  }
}

/** Types of the platform's own machines that have an address outside. */
const OUTSIDE = /^(dedicatedrootlb|sharedrootlb|rootlb|platform.*)$/;

/** What the platform's own machines take: those whose size is known. */
export function platformNeeds(
  machines: readonly { readonly type: string; readonly infraFlavor: string }[],
  sizeOf: (name: string) => SiteSize | undefined,
  site: Pick<SiteTraits, "type" | "envVar">,
): Amounts {
  const amounts: Record<string, number> = {};
  for (const { type, infraFlavor } of machines) {
    const size = infraFlavor === "" ? undefined : sizeOf(infraFlavor);
    if (size === undefined) continue;
    const outside = OUTSIDE.test(type);
    const one: Amounts = {
      [RAM]: size.ramMb,
      [VCPUS]: size.vcpus,
      [DISK]: size.diskGb,
      [GPUS]: size.optRes === "gpu" ? 1 : 0,
      [EXTERNAL_IPS]: outside ? 1 : 0,
      ...extras(site as SiteTraits, true, /rootlb/.test(type)),
    };
    for (const [name, amount] of Object.entries(one)) {
      if (amount > 0) amounts[name] = (amounts[name] ?? 0) + amount;
    }
  }
  return amounts;
}
