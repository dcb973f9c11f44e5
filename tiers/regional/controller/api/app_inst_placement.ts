import { parsePortList, type PortRange } from "../../../../shared/ports/mod.ts";
import {
  type App,
  type AppInst,
  AppInstKind,
  AppKind,
  type Cloudlet,
  CloudletKind,
  ClusterInstKind,
  dme,
  enumText,
  FlavorKind,
  Liveness,
  PlatformType,
  TrackedState,
} from "../../../../shared/schema/mod.ts";
import { failedPrecondition, refuse } from "../faults.ts";
import {
  appInstId,
  appInstLabel,
  type DnsZone,
  MAX_OBJECT_LABEL_CHARACTERS,
  MAX_UNIQUE_ID_CHARACTERS,
  sharedFqdn,
} from "../rules/dns_labels.ts";
import { Issues } from "../rules/issues.ts";
import { NO_CLUSTER } from "../rules/names.ts";
import { type Deployment, deploymentOf } from "../rules/platforms.ts";
import { allotPorts, parsePublicPortRange, PUBLIC_PORT_RANGE } from "../rules/public_ports.ts";
import type { ObjectTx } from "../state/object_tx.ts";
import { appInstIdRow, cloudletRefsRow, objectLabelRow } from "../state/rows.ts";
import { takeName } from "./labels.ts";
import { giveBackAppInst, needsOfAppInst, readSite, takeResources } from "./resources/mod.ts";
import { requireWorkingCloudlet } from "./site_work.ts";

/** What a cloudlet has given away: public ports by the identifier of the instance that holds them. */
interface CloudletRefs {
  ports: Record<string, string[]>;
}

/**
 * Completes a new instance, in the transaction that stores it: checks app, cloudlet, cluster and flavor, and takes
 * identifier, DNS label and public ports (specification 3.10, 4.10).
 *
 * @param before the same instance whose deletion failed; it keeps its names and ports
 */
export async function placeAppInst(
  tx: ObjectTx,
  zone: DnsZone,
  instance: AppInst,
  before: AppInst | undefined,
): Promise<AppInst> {
  const { appKey, clusterInstKey } = instance.key;
  const app = await tx.requireUsable(AppKind, AppKind.keyString(appKey));
  const cloudlet = await requireWorkingCloudlet(tx, clusterInstKey.cloudletKey);
  const deployment = requireFit(app, cloudlet);
  await requireCluster(tx, instance, deployment);
  if (instance.flavor.name === "") instance.flavor = { ...app.defaultFlavor };
  const flavor = await tx.requireUsable(FlavorKind, FlavorKind.keyString(instance.flavor));
  if (before) await giveBackAppInst(tx, before);
  const site = await readSite(tx, cloudlet);
  await takeResources(tx, site, needsOfAppInst(site, instance, app, flavor));

  instance.uniqueId = before?.uniqueId || await takeName(
    tx,
    appInstId(appKey, deployment.needsCluster ? clusterInstKey.clusterKey.name : "", cloudlet.key),
    MAX_UNIQUE_ID_CHARACTERS,
    appInstIdRow,
  );
  instance.dnsLabel = before?.dnsLabel || await takeName(
    tx,
    appInstLabel(appKey),
    MAX_OBJECT_LABEL_CHARACTERS,
    (label) => objectLabelRow(cloudlet.dnsLabel, label),
    ["shared"],
  );
  await takePorts(tx, instance, app, cloudlet);
  instance.uri = app.internalPorts || instance.mappedPorts.length === 0 ? "" : sharedFqdn(cloudlet.dnsLabel, zone);
  instance.cloudletLoc = cloudlet.location;
  instance.liveness = Liveness.LIVENESS_STATIC;
  instance.revision = app.revision;
  instance.healthCheck = dme.HealthCheck.HEALTH_CHECK_UNKNOWN;
  instance.state = TrackedState.CREATE_REQUESTED;
  return instance;
}

/** Removes an instance and gives back its identifier, label and ports. */
export async function removeAppInst(tx: ObjectTx, instance: AppInst): Promise<void> {
  const cloudletKey = CloudletKind.keyString(instance.key.clusterInstKey.cloudletKey);
  const cloudlet = await tx.get(CloudletKind, cloudletKey);
  if (cloudlet) tx.removeRow(objectLabelRow(cloudlet.dnsLabel, instance.dnsLabel));
  tx.removeRow(appInstIdRow(instance.uniqueId));
  await giveBackAppInst(tx, instance);
  const refs = await readRefs(tx, cloudletKey);
  if (refs.ports[instance.uniqueId]) {
    delete refs.ports[instance.uniqueId];
    writeRefs(tx, cloudletKey, refs);
  }
  tx.remove(AppInstKind, AppInstKind.keyString(instance.key));
}

function requireFit(app: App, cloudlet: Cloudlet): Deployment {
  const deployment = deploymentOf(app.deployment);
  if (deployment?.platform === cloudlet.platformType) return deployment;
  throw failedPrecondition(
    `App ${AppKind.keyString(app.key)} of deployment ${app.deployment} cannot run on cloudlet ${
      CloudletKind.keyString(cloudlet.key)
    } of platform ${enumText(PlatformType, cloudlet.platformType)}`,
  );
}

async function requireCluster(tx: ObjectTx, instance: AppInst, deployment: Deployment): Promise<void> {
  const { clusterInstKey, appKey } = instance.key;
  const { name } = clusterInstKey.clusterKey;
  const path = "key.cluster_inst_key.cluster_key.name";
  const issues = new Issues();
  if (deployment.needsCluster) {
    issues.check(name !== NO_CLUSTER, path, name, `must name a cluster: ${deployment.deployment} apps run in one`);
  } else {
    issues.check(name === NO_CLUSTER, path, name, `must be empty: ${deployment.deployment} apps run in no cluster`);
  }
  refuse(issues.list);
  if (!deployment.needsCluster) return;
  const cluster = await tx.requireUsable(ClusterInstKind, ClusterInstKind.keyString(clusterInstKey));
  const clusterKey = ClusterInstKind.keyString(cluster.key);
  if (cluster.key.organization !== appKey.organization) {
    throw failedPrecondition(`Cluster ${clusterKey} belongs to another organization than the app`);
  }
  if (cluster.deployment !== deployment.deployment) {
    throw failedPrecondition(`Cluster ${clusterKey} is for ${cluster.deployment}, not for ${deployment.deployment}`);
  }
  if (cluster.state !== TrackedState.READY) {
    throw failedPrecondition(
      `Cluster ${clusterKey} is not ready: its state is ${enumText(TrackedState, cluster.state)}`,
    );
  }
}

async function takePorts(tx: ObjectTx, instance: AppInst, app: App, cloudlet: Cloudlet): Promise<void> {
  const ports = parsePortList(app.accessPorts, { deployment: app.deployment });
  const range = ports.find((port) => port.endPort !== 0);
  if (range) {
    throw failedPrecondition(
      `No port range can be given on a shared load balancer: ${range.protocol}:${range.port}-${range.endPort}`,
    );
  }
  const cloudletKey = CloudletKind.keyString(cloudlet.key);
  const refs = await readRefs(tx, cloudletKey);
  delete refs.ports[instance.uniqueId];
  const allotment = allotPorts(ports, refs.ports, parsePublicPortRange(cloudlet.envVar[PUBLIC_PORT_RANGE] ?? ""));
  if ("exhausted" in allotment) {
    const { protocol, port } = allotment.exhausted;
    throw failedPrecondition(`Cloudlet ${cloudletKey} has no free public port for ${protocol}:${port}`);
  }
  instance.mappedPorts = ports.map((port, i) => mappedPort(port, allotment.publicPorts[i]!));
  if (ports.length === 0) return;
  refs.ports[instance.uniqueId] = ports.map(({ protocol }, i) => `${protocol}:${allotment.publicPorts[i]}`);
  writeRefs(tx, cloudletKey, refs);
}

function mappedPort(port: PortRange, publicPort: number): dme.AppPort {
  return dme.AppPort.create({
    proto: port.protocol === "tcp" ? dme.LProto.L_PROTO_TCP : dme.LProto.L_PROTO_UDP,
    internalPort: port.port,
    publicPort,
    tls: port.tls,
    nginx: port.nginx,
    maxPktSize: port.maxPacketBytes,
  });
}

async function readRefs(tx: ObjectTx, cloudletKey: string): Promise<CloudletRefs> {
  const row = await tx.getRow(cloudletRefsRow(cloudletKey)) as unknown as CloudletRefs | undefined;
  return row ?? { ports: {} };
}

function writeRefs(tx: ObjectTx, cloudletKey: string, refs: CloudletRefs): void {
  tx.putRow(cloudletRefsRow(cloudletKey), { ports: refs.ports });
}
