/**
 * What matching needs of the replicated objects, so that it depends on no code but its own. The generated messages of
 * the schema have these shapes.
 *
 * @module
 */
import type { Point } from "./geo.ts";

/** {organization, name, version} of an app. */
export interface AppKeyShape {
  organization: string;
  name: string;
  version: string;
}

/** {organization, name} of a cloudlet; a federated one names its partner too. */
export interface CloudletKeyShape {
  organization: string;
  name: string;
  federatedOrganization: string;
}

/** Cluster as the user named it, on its cloudlet. */
export interface VirtualClusterKeyShape {
  clusterKey: { name: string };
  cloudletKey: CloudletKeyShape;
  organization: string;
}

/** Key of an app instance. */
export interface InstanceKeyShape {
  appKey: AppKeyShape;
  clusterInstKey: VirtualClusterKeyShape;
}

/** App: only its presence matters to matching. */
export interface AppShape {
  key: AppKeyShape;
}

/** AppInst. */
export interface InstanceShape {
  key: InstanceKeyShape;
  cloudletLoc?: Point;
  uri: string;
  state: number;
  healthCheck: number;
}

/** Cloudlet. */
export interface CloudletShape {
  key: CloudletKeyShape;
  location?: Point;
  maintenanceState: number;
  allianceOrgs: string[];
}

/** CloudletInfo. */
export interface CloudletInfoShape {
  key: CloudletKeyShape;
  state: number;
}

/** Numbers of the wire enumerations that decide on usability (DME specification 4.2). */
export const INSTANCE_READY = 5;
export const CLOUDLET_READY = 2;
export const CLOUDLET_NOT_PRESENT = 4;
export const NORMAL_OPERATION = 0;
export const UNDER_MAINTENANCE = 31;
export const HEALTH_UNKNOWN = 0;
export const HEALTH_OK = 3;

/** Text that names an app in tables; unlike the JSON form of a key it costs nothing to make. */
export function appId(organization: string, name: string, version: string): string {
  return `${organization}\n${name}\n${version}`;
}

/** Text that names a cloudlet in tables. */
export function cloudletId(key: CloudletKeyShape): string {
  return `${key.organization}\n${key.name}\n${key.federatedOrganization}`;
}

/** Text that names an instance in tables. */
export function instanceId(key: InstanceKeyShape): string {
  const { appKey: app, clusterInstKey: cluster } = key;
  return `${appId(app.organization, app.name, app.version)}\n${cloudletId(cluster.cloudletKey)}\n` +
    `${cluster.organization}\n${cluster.clusterKey.name}`;
}

/** JSON of a virtual cluster key, by which candidates at exactly the same distance are ordered (specification 4.5). */
export function clusterKeyText(key: VirtualClusterKeyShape): string {
  const set = (value: string) => value === "" ? undefined : value;
  return JSON.stringify({
    cluster_key: { name: set(key.clusterKey.name) },
    cloudlet_key: {
      organization: set(key.cloudletKey.organization),
      name: set(key.cloudletKey.name),
      federated_organization: set(key.cloudletKey.federatedOrganization),
    },
    organization: set(key.organization),
  });
}
