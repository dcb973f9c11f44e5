import { type PlatformFeatures, platformFeatures } from "../../../../shared/platform_types/mod.ts";
import type { PlatformType } from "../../../../shared/schema/mod.ts";

/** What a kind of infrastructure can do, as far as rules ask for it (specification 4.2). */
export interface PlatformTraits {
  readonly multiTenant: boolean;
  readonly trustPolicy: boolean;
  readonly sharedVolumes: boolean;
  readonly kubernetesOnly: boolean;
  readonly needsWorkers: boolean;
  readonly ipPerService: boolean;
  readonly ovf: boolean;
  readonly extraNetworks: boolean;
  /** The whole site is one Kubernetes cluster. */
  readonly singleCluster: boolean;
  readonly dedicatedInstanceIp: boolean;
  /** Two resource managers, when the platform's services run on Kubernetes, and when on Docker. */
  readonly haOnKubernetes: boolean;
  readonly haOnDocker: boolean;
  readonly vmPool: boolean;
}

type Trait = keyof PlatformTraits;

const TRAITS: Readonly<Record<Trait, (features: PlatformFeatures) => boolean>> = {
  multiTenant: (features) => features.multiTenantClusters,
  trustPolicy: (features) => features.trustPolicies,
  sharedVolumes: (features) => features.sharedVolumes,
  kubernetesOnly: (features) => features.kubernetesOnly,
  needsWorkers: (features) => features.needsWorkers,
  ipPerService: (features) => features.ipPerService,
  ovf: (features) => features.ovfImages,
  extraNetworks: (features) => features.extraNetworks,
  singleCluster: (features) => features.singleCluster,
  dedicatedInstanceIp: (features) => features.dedicatedAppIp,
  haOnKubernetes: (features) => features.highAvailability.kubernetes,
  haOnDocker: (features) => features.highAvailability.docker,
  vmPool: (features) => features.vmPool,
};

/** Whether a platform can do something; see `shared/platform_types`. */
export function hasTrait(platform: PlatformType, trait: Trait): boolean {
  return TRAITS[trait](platformFeatures(platform));
}
