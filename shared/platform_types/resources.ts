import { PlatformType } from "../schema/mod.ts";

/** Memory in megabytes, virtual CPUs, disk in gigabytes, accelerators and addresses: every site can have quotas of them. */
export const RAM = "RAM";
export const VCPUS = "vCPUs";
export const DISK = "Disk";
export const GPUS = "GPUs";
export const EXTERNAL_IPS = "External IPs";

/** A resource that can have a quota. */
export interface QuotaResource {
  readonly name: string;
  readonly description: string;
  /** Empty: a count. */
  readonly units: string;
}

/** Resources of every platform. */
export const COMMON_QUOTA_RESOURCES: readonly QuotaResource[] = [
  { name: RAM, description: "Limit on memory", units: "MB" },
  { name: VCPUS, description: "Limit on virtual CPUs", units: "" },
  { name: DISK, description: "Limit on disk", units: "GB" },
  { name: GPUS, description: "Limit on accelerators", units: "" },
  { name: EXTERNAL_IPS, description: "Limit on addresses that are reachable from outside", units: "" },
];

const INSTANCES: QuotaResource = { name: "Instances", description: "Limit on machines", units: "" };

/** Resources that only this platform counts (controller specification 4.6). */
export function platformResources(type: PlatformType): readonly QuotaResource[] {
  switch (type) {
    case PlatformType.PLATFORM_TYPE_OPENSTACK:
      return [INSTANCES, { name: "Floating IPs", description: "Limit on floating addresses", units: "" }];
    case PlatformType.PLATFORM_TYPE_VCD:
      return [INSTANCES];
    case PlatformType.PLATFORM_TYPE_AWS_EKS:
      return [
        { name: "K8s Clusters", description: "Limit on clusters", units: "" },
        { name: "Maximum K8s Nodes Per Cluster", description: "Limit on the nodes of any one cluster", units: "" },
        { name: "Total Number Of K8s Nodes", description: "Limit on the nodes of all clusters", units: "" },
        { name: "Network Load Balancers", description: "Limit on load balancers", units: "" },
      ];
    default:
      return [];
  }
}

/** All resources that a quota of a site of this type may name. */
export function quotaResources(type: PlatformType): readonly QuotaResource[] {
  return [...COMMON_QUOTA_RESOURCES, ...platformResources(type)];
}
