import {
  type AppSpec,
  type ClusterSpec,
  type FlavorSpec,
  infrastructureName,
  type MappedPort,
  type NodeGroup,
  PlatformError,
} from "../../../shared/platform/mod.ts";
import {
  type App,
  type AppInst,
  AppInstKind,
  type ClusterInst,
  type ClusterInstKey,
  ClusterInstKind,
  dme,
  type Flavor,
  IpAccess,
} from "../../../shared/schema/mod.ts";

/** Finds the objects that an instance refers to. */
export interface Lookup {
  app(instance: AppInst): App | undefined;
  flavor(name: string): Flavor | undefined;
  cluster(key: ClusterInstKey): ClusterInst | undefined;
}

/** Infrastructure name of an instance: the region's name for it where that is usable everywhere. */
export function appInstId(instance: AppInst): string {
  const given = instance.uniqueId;
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(given)) return given;
  const { organization, name, version } = instance.key.appKey;
  return infrastructureName([organization, name, version], AppInstKind.keyString(instance.key));
}

/** Key of the cluster in which an instance runs: its real one, where its key names one that stands for it. */
export function clusterKeyOf(instance: AppInst): ClusterInstKey {
  const { clusterKey, cloudletKey, organization } = instance.key.clusterInstKey;
  return { clusterKey: { name: instance.realClusterName || clusterKey.name }, cloudletKey, organization };
}

/** Whether instances of a deployment run in a cluster, where the platform has clusters. */
export function needsCluster(deployment: string): boolean {
  return deployment !== "vm";
}

/** A cluster as plugins know it. Throws {@linkcode PlatformError} (NotFound) naming what is missing. */
export function clusterSpec(cluster: ClusterInst, lookup: Lookup): ClusterSpec {
  const key = ClusterInstKind.keyString(cluster.key);
  const { name } = cluster.key.clusterKey;
  return {
    key,
    id: infrastructureName([cluster.key.organization, name], key),
    name,
    organization: cluster.key.organization,
    deployment: cluster.deployment,
    flavor: flavorSpec(cluster.flavor.name, lookup),
    masters: cluster.numMasters > 0 ? { count: cluster.numMasters, size: cluster.masterNodeFlavor } : undefined,
    nodes: nodesOf(cluster),
    dedicatedAddress: cluster.ipAccess === IpAccess.IP_ACCESS_DEDICATED,
    sharedVolumeGb: cluster.sharedVolumeSize,
    externalVolumeGb: cluster.externalVolumeSize,
    zone: cluster.availabilityZone,
    multiTenant: cluster.multiTenant,
    networks: [...cluster.networks],
    keepOnFailure: cluster.skipCrmCleanupOnFailure,
  };
}

/** A docker cluster is one machine, whether or not it says so. */
function nodesOf({ deployment, numNodes, nodeFlavor }: ClusterInst): NodeGroup | undefined {
  const count = deployment === "docker" ? 1 : numNodes;
  return count > 0 ? { count, size: nodeFlavor } : undefined;
}

/**
 * An instance as plugins know it. `withCluster` is set for platforms that have clusters.
 * Throws {@linkcode PlatformError} (NotFound) naming what is missing.
 */
export function appSpec(instance: AppInst, lookup: Lookup, withCluster: boolean): AppSpec {
  const app = lookup.app(instance);
  const { organization, name, version } = instance.key.appKey;
  if (!app) throw new PlatformError("NotFound", `App ${organization}/${name}/${version} is not known to this site`);
  const inCluster = withCluster && needsCluster(app.deployment);
  const cluster = inCluster ? lookup.cluster(clusterKeyOf(instance)) : undefined;
  if (inCluster && !cluster) {
    const wanted = clusterKeyOf(instance).clusterKey.name;
    throw new PlatformError("NotFound", `Cluster instance ${wanted} is not known to this site`);
  }
  return {
    key: AppInstKind.keyString(instance.key),
    id: appInstId(instance),
    app: { organization, name, version },
    deployment: app.deployment,
    imagePath: app.imagePath,
    command: app.command,
    manifest: app.deploymentManifest,
    ports: instance.mappedPorts.map(mappedPort),
    flavor: flavorSpec(instance.flavor.name, lookup),
    cluster: cluster && clusterSpec(cluster, lookup),
    configs: [...app.configs, ...instance.configs].map(({ kind, config }) => ({ kind, config })),
    size: instance.vmFlavor,
    externalVolumeGb: instance.externalVolumeSize,
    zone: instance.availabilityZone,
    dedicatedAddress: instance.dedicatedIp,
    revision: instance.revision,
  };
}

function flavorSpec(name: string, lookup: Lookup): FlavorSpec {
  const flavor = lookup.flavor(name);
  if (!flavor) throw new PlatformError("NotFound", `Flavor ${name} is not known to this site`);
  return { name, ramMb: flavor.ram, vcpus: flavor.vcpus, diskGb: flavor.disk };
}

function mappedPort(port: dme.AppPort): MappedPort {
  return {
    protocol: port.proto === dme.LProto.L_PROTO_UDP ? "udp" : "tcp",
    internalPort: port.internalPort,
    publicPort: port.publicPort || port.internalPort,
    endPort: port.endPort,
  };
}
