import type { CloudletFacts, ResourceSnapshot } from "../../../shared/platform/mod.ts";
import {
  type AppInstKey,
  AppInstRefKey,
  CloudletInfo,
  type CloudletKey,
  type ClusterInstKey,
  ClusterInstRefKey,
  type dme,
  InfraResourcesSnapshot,
  type StatusInfo,
  type TrackedState,
} from "../../../shared/schema/mod.ts";

/** Level of behaviour that controllers can rely on: automatic clusters, and names of shared load balancers. */
const COMPATIBILITY_VERSION = 2;

/** What the site knows of itself when it reports. */
export interface SiteSelf {
  readonly key: CloudletKey;
  readonly version: string;
  readonly state: dme.CloudletState;
  readonly maintenanceState: dme.MaintenanceState;
  readonly trustPolicyState: TrackedState;
  readonly answeredRequest: string;
  readonly status?: StatusInfo;
  readonly errors?: readonly string[];
  readonly facts?: CloudletFacts;
  readonly snapshot?: InfraResourcesSnapshot;
}

/** The site's report of itself. */
export function cloudletInfo({ version, errors, facts, snapshot, ...self }: SiteSelf): CloudletInfo {
  return CloudletInfo.create({
    ...self,
    errors: [...errors ?? []],
    containerVersion: version,
    releaseVersion: version,
    compatibilityVersion: COMPATIBILITY_VERSION,
    osMaxRam: facts?.ramMb ?? 0,
    osMaxVcores: facts?.vcpus ?? 0,
    osMaxVolGb: facts?.diskGb ?? 0,
    properties: { ...facts?.properties },
    flavors: facts?.flavors?.map(({ name, vcpus, ramMb, diskGb, properties }) => ({
      name,
      vcpus,
      ram: ramMb,
      disk: diskGb,
      propMap: { ...properties },
    })) ?? [],
    availabilityZones: facts?.zones?.map((zone) => ({ ...zone })) ?? [],
    osImages: facts?.images?.map((image) => ({ ...image })) ?? [],
    nodeInfos: facts?.nodes?.map(({ name, allocatable, capacity }) => ({
      name,
      allocatable: { ...allocatable },
      capacity: { ...capacity },
    })) ?? [],
    resourcesSnapshot: snapshot,
  });
}

/** What stands on the site and is counted in a snapshot. */
export interface CountedObjects {
  readonly clusters: readonly ClusterInstKey[];
  readonly vmApps: readonly AppInstKey[];
  readonly clusterApps: readonly AppInstKey[];
}

/** A snapshot as it is reported. */
export function snapshotOf(found: ResourceSnapshot, counted: CountedObjects): InfraResourcesSnapshot {
  return InfraResourcesSnapshot.create({
    platformVms: found.machines.map(({ name, type, status, flavor }) => ({ name, type, status, infraFlavor: flavor })),
    info: found.resources.map(({ name, used, max, description, units }) => ({
      name,
      value: used,
      infraMaxValue: max,
      description,
      units,
    })),
    clusterInsts: counted.clusters.map(clusterRef),
    vmAppInsts: counted.vmApps.map(appRef),
    k8sAppInsts: counted.clusterApps.map(appRef),
  });
}

function clusterRef({ clusterKey, organization }: ClusterInstKey): ClusterInstRefKey {
  return ClusterInstRefKey.create({ clusterKey, organization });
}

function appRef({ appKey, clusterInstKey: { clusterKey, organization } }: AppInstKey): AppInstRefKey {
  return AppInstRefKey.create({ appKey, clusterInstKey: { clusterKey, organization } });
}
