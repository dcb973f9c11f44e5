import { PlatformType } from "../schema/mod.ts";

/** What a type of infrastructure can do, and how it differs from others (controller specification 4.2). */
export interface PlatformFeatures {
  /** Deployments of apps that run on it. */
  readonly deployments: readonly ("kubernetes" | "helm" | "docker" | "vm" | "process")[];
  /** Clusters that several organizations share. */
  readonly multiTenantClusters: boolean;
  readonly sharedVolumes: boolean;
  readonly trustPolicies: boolean;
  /** It has no machines of its own: all apps run in kubernetes. */
  readonly kubernetesOnly: boolean;
  /** Its kubernetes clusters are managed: they have no masters of ours, and at least one worker. */
  readonly needsWorkers: boolean;
  /** Every exposed service gets an address of its own, so addresses are not counted. */
  readonly ipPerService: boolean;
  /** Machine images of type OVF. */
  readonly ovfImages: boolean;
  /** Networks beside the site's own. */
  readonly extraNetworks: boolean;
  /** The site is one kubernetes cluster. */
  readonly singleCluster: boolean;
  /** App instances can have an address of their own. */
  readonly dedicatedAppIp: boolean;
  /** Two resource managers, by the deployment in which they run. */
  readonly highAvailability: { readonly kubernetes: boolean; readonly docker: boolean };
  /** The site's services run beside the controller, not on the infrastructure. */
  readonly localServices: boolean;
  /** Clusters change their size on demand. */
  readonly clusterAutoScale: boolean;
  /** Its machines come from a pool that the operator lists. */
  readonly vmPool: boolean;
  /** It pretends: for tests and demonstrations. */
  readonly fake: boolean;
  /**
   * What takes resources: machines that are made for clusters and vm apps, or the app instances themselves, each as
   * much as its flavor says, on a machine that is there anyway.
   */
  readonly counts: "machines" | "instances";
}

const NONE: PlatformFeatures = {
  deployments: ["kubernetes", "helm", "docker", "vm"],
  multiTenantClusters: false,
  sharedVolumes: false,
  trustPolicies: false,
  kubernetesOnly: false,
  needsWorkers: false,
  ipPerService: false,
  ovfImages: false,
  extraNetworks: false,
  singleCluster: false,
  dedicatedAppIp: false,
  highAvailability: { kubernetes: false, docker: false },
  localServices: false,
  clusterAutoScale: true,
  vmPool: false,
  fake: false,
  counts: "machines",
};

const KUBERNETES = ["kubernetes", "helm"] as const;
const FAKE: PlatformFeatures = {
  ...NONE,
  multiTenantClusters: true,
  sharedVolumes: true,
  trustPolicies: true,
  extraNetworks: true,
  highAvailability: { kubernetes: true, docker: true },
  localServices: true,
  fake: true,
};
const LOCAL: PlatformFeatures = { ...NONE, multiTenantClusters: true, localServices: true };
const MANAGED: PlatformFeatures = {
  ...NONE,
  deployments: KUBERNETES,
  multiTenantClusters: true,
  kubernetesOnly: true,
  needsWorkers: true,
  ipPerService: true,
};
const OPENSTACK: PlatformFeatures = {
  ...NONE,
  multiTenantClusters: true,
  sharedVolumes: true,
  trustPolicies: true,
  extraNetworks: true,
  highAvailability: { kubernetes: true, docker: false },
};

const FEATURES: Readonly<Record<PlatformType, PlatformFeatures>> = {
  [PlatformType.PLATFORM_TYPE_FAKE]: FAKE,
  [PlatformType.PLATFORM_TYPE_FAKEINFRA]: FAKE,
  [PlatformType.PLATFORM_TYPE_FAKE_SINGLE_CLUSTER]: {
    ...FAKE,
    deployments: KUBERNETES,
    singleCluster: true,
    dedicatedAppIp: true,
  },
  [PlatformType.PLATFORM_TYPE_FAKE_VM_POOL]: { ...FAKE, vmPool: true },
  [PlatformType.PLATFORM_TYPE_DIND]: { ...NONE, deployments: ["kubernetes", "helm", "docker"], localServices: true },
  [PlatformType.PLATFORM_TYPE_KIND]: {
    ...LOCAL,
    deployments: ["kubernetes", "helm", "docker"],
    clusterAutoScale: false,
  },
  [PlatformType.PLATFORM_TYPE_KINDINFRA]: {
    ...LOCAL,
    deployments: ["kubernetes", "helm", "docker"],
    clusterAutoScale: false,
  },
  [PlatformType.PLATFORM_TYPE_EDGEBOX]: { ...LOCAL, deployments: ["kubernetes", "helm", "docker"] },
  [PlatformType.PLATFORM_TYPE_OPENSTACK]: OPENSTACK,
  [PlatformType.PLATFORM_TYPE_VCD]: { ...OPENSTACK, ovfImages: true },
  [PlatformType.PLATFORM_TYPE_VSPHERE]: { ...NONE, multiTenantClusters: true, sharedVolumes: true },
  [PlatformType.PLATFORM_TYPE_VM_POOL]: { ...NONE, multiTenantClusters: true, vmPool: true },
  [PlatformType.PLATFORM_TYPE_AWS_EC2]: { ...NONE, multiTenantClusters: true },
  [PlatformType.PLATFORM_TYPE_GCP]: MANAGED,
  [PlatformType.PLATFORM_TYPE_AZURE]: MANAGED,
  [PlatformType.PLATFORM_TYPE_AWS_EKS]: MANAGED,
  [PlatformType.PLATFORM_TYPE_K8S_BARE_METAL]: {
    ...NONE,
    deployments: KUBERNETES,
    kubernetesOnly: true,
    singleCluster: true,
    dedicatedAppIp: true,
  },
  [PlatformType.PLATFORM_TYPE_FEDERATION]: {
    ...NONE,
    deployments: KUBERNETES,
    kubernetesOnly: true,
    needsWorkers: true,
  },
  [PlatformType.PLATFORM_TYPE_PROCESS]: {
    ...NONE,
    deployments: ["process"],
    localServices: true,
    clusterAutoScale: false,
    counts: "instances",
  },
  [PlatformType.PLATFORM_TYPE_DOCKER]: {
    ...NONE,
    deployments: ["docker"],
    localServices: true,
    clusterAutoScale: false,
    counts: "instances",
  },
};

/** Operator organizations for which a fake site behaves as a public cloud with an address for each service. */
const PUBLIC_CLOUDS: ReadonlySet<string> = new Set(["gcp", "azure", "aws"]);

/**
 * Features of a platform type; those of a site of this operator, where that matters. A type that this program does not
 * know has none.
 */
export function platformFeatures(type: PlatformType, operator = ""): PlatformFeatures {
  const features = FEATURES[type] ?? { ...NONE, deployments: [] };
  return features.fake && PUBLIC_CLOUDS.has(operator) ? { ...features, ipPerService: true } : features;
}
