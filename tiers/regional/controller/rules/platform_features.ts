import { PlatformType as P } from "../../../../shared/schema/mod.ts";

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

const FAKE: readonly Trait[] = [
  "multiTenant",
  "sharedVolumes",
  "trustPolicy",
  "extraNetworks",
  "haOnKubernetes",
  "haOnDocker",
];
const CLOUD: readonly Trait[] = ["multiTenant", "kubernetesOnly", "needsWorkers", "ipPerService"];

const TRAITS: ReadonlyMap<P, readonly Trait[]> = new Map<P, readonly Trait[]>([
  [P.PLATFORM_TYPE_FAKE, FAKE],
  [P.PLATFORM_TYPE_FAKEINFRA, FAKE],
  [P.PLATFORM_TYPE_FAKE_SINGLE_CLUSTER, [...FAKE, "singleCluster", "dedicatedInstanceIp"]],
  [P.PLATFORM_TYPE_FAKE_VM_POOL, [...FAKE, "vmPool"]],
  [P.PLATFORM_TYPE_DIND, []],
  [P.PLATFORM_TYPE_KIND, ["multiTenant"]],
  [P.PLATFORM_TYPE_KINDINFRA, ["multiTenant"]],
  [P.PLATFORM_TYPE_EDGEBOX, ["multiTenant"]],
  [P.PLATFORM_TYPE_OPENSTACK, ["multiTenant", "sharedVolumes", "trustPolicy", "extraNetworks", "haOnKubernetes"]],
  [P.PLATFORM_TYPE_VCD, ["multiTenant", "sharedVolumes", "trustPolicy", "ovf", "extraNetworks", "haOnKubernetes"]],
  [P.PLATFORM_TYPE_VSPHERE, ["multiTenant", "sharedVolumes"]],
  [P.PLATFORM_TYPE_VM_POOL, ["multiTenant", "vmPool"]],
  [P.PLATFORM_TYPE_AWS_EC2, ["multiTenant"]],
  [P.PLATFORM_TYPE_GCP, CLOUD],
  [P.PLATFORM_TYPE_AZURE, CLOUD],
  [P.PLATFORM_TYPE_AWS_EKS, CLOUD],
  [P.PLATFORM_TYPE_K8S_BARE_METAL, ["kubernetesOnly", "singleCluster", "dedicatedInstanceIp"]],
  [P.PLATFORM_TYPE_FEDERATION, ["kubernetesOnly", "needsWorkers"]],
]);

/** Whether a platform can do something; platforms of ours that the table lacks can do none of it. */
export function hasTrait(platform: P, trait: Trait): boolean {
  return TRAITS.get(platform)?.includes(trait) ?? false;
}
