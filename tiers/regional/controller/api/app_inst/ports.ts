import { parsePortList, type PortRange } from "../../../../../shared/ports/mod.ts";
import {
  type App,
  type AppInst,
  type ClusterInst,
  ClusterInstKind,
  dme,
  IpAccess,
} from "../../../../../shared/schema/mod.ts";
import { nameRule } from "../../../../../shared/dns/mod.ts";
import { failedPrecondition } from "../../faults.ts";
import { conflictingPort, heldPort } from "../../rules/cluster_ports.ts";
import { isOneMachine, isVm } from "../../rules/deployments.ts";
import { type DnsZone, objectFqdn, sharedFqdn } from "../../rules/dns_labels.ts";
import { balancersOf, namePrefix } from "../../rules/service_names.ts";
import { allotPorts, parsePublicPortRange, PUBLIC_PORT_RANGE } from "../../rules/public_ports.ts";
import { joinCluster, readMembers } from "../../state/cluster_refs.ts";
import { readCloudletRefs, writeCloudletRefs } from "../../state/cloudlet_refs.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import type { Site } from "../resources/mod.ts";

/** What the ports of an instance depend on. */
export interface PortsWish {
  readonly app: App;
  readonly instance: AppInst;
  readonly site: Site;
  /** Cluster in which it runs; undefined: in none. */
  readonly cluster: ClusterInst | undefined;
  readonly zone: DnsZone;
}

/** How clients come to an instance. */
type Access =
  /** Not from outside the site. */
  | "none"
  /** By a name and address of its own. */
  | "own"
  /** By the load balancer of its cluster. */
  | "cluster"
  /** By the site's load balancer, whose ports all share. */
  | "shared";

/** Settles ports and name of an instance, and takes what it shares with others (specification 4.10). */
export async function takePorts(tx: ObjectTx, wish: PortsWish): Promise<void> {
  const { app, instance, site, cluster, zone } = wish;
  const ports = parsePortList(app.accessPorts, { deployment: app.deployment });
  const access = accessOf(wish, ports);
  const hidden = app.internalPorts || ports.length === 0;
  // What the site reported is of the access that was before.
  instance.address = "";
  instance.internalPortToLbIp = {};
  switch (access) {
    case "none":
    case "own":
      instance.mappedPorts = ports.map((port) => mappedPort(port, port.port));
      if (!hidden && site.traits.features.ipPerService) prefixNames(wish, ports);
      instance.uri = hidden ? "" : objectFqdn(instance.dnsLabel, site.cloudlet.dnsLabel, zone);
      return;
    case "cluster":
      await takeClusterPorts(tx, instance, cluster!, ports);
      instance.mappedPorts = ports.map((port) => mappedPort(port, port.port));
      instance.uri = cluster!.fqdn;
      return;
    case "shared":
      await takeSharedPorts(tx, instance, site, ports);
      instance.uri = hidden ? "" : sharedFqdn(site.cloudlet.dnsLabel, zone);
      return;
  }
}

/** Where each service has an address of its own, its name leads to its ports. */
function prefixNames({ app, instance, site, zone }: PortsWish, ports: readonly PortRange[]): void {
  const balancers = balancersOf(app);
  const name = objectFqdn(instance.dnsLabel, site.cloudlet.dnsLabel, zone);
  for (const [i, port] of ports.entries()) {
    const prefix = namePrefix(balancers, port);
    const rule = prefix === "" ? undefined : nameRule(prefix + name);
    if (rule) throw failedPrecondition(`Name ${prefix}${name} of port ${heldPort(port)} cannot be: it ${rule}`);
    instance.mappedPorts[i]!.fqdnPrefix = prefix;
  }
}

function accessOf({ app, instance, site, cluster }: PortsWish, ports: readonly PortRange[]): Access {
  const { features } = site.traits;
  if (ports.length === 0) return "none";
  // On one machine even ports that nobody outside may use must not collide with others'.
  if (app.internalPorts && !isOneMachine(features)) return "none";
  if (isVm(app.deployment) || instance.dedicatedIp || features.ipPerService) return "own";
  return cluster?.ipAccess === IpAccess.IP_ACCESS_DEDICATED ? "cluster" : "shared";
}

async function takeClusterPorts(
  tx: ObjectTx,
  instance: AppInst,
  cluster: ClusterInst,
  ports: readonly PortRange[],
): Promise<void> {
  const key = ClusterInstKind.keyString(cluster.key);
  const { [instance.uniqueId]: own, ...others } = await readMembers(tx, key);
  const conflict = conflictingPort(ports, Object.values(others).flatMap((member) => member.ports ?? []));
  if (conflict) {
    throw failedPrecondition(
      `Port ${conflict.port} conflicts with ${conflict.with} of another instance in cluster ${key}`,
    );
  }
  await joinCluster(tx, key, instance.uniqueId, { ...own, ports: ports.map(heldPort) });
}

async function takeSharedPorts(
  tx: ObjectTx,
  instance: AppInst,
  { keyString: key, cloudlet }: Site,
  ports: readonly PortRange[],
): Promise<void> {
  const range = ports.find((port) => port.endPort !== 0);
  if (range) {
    throw failedPrecondition(`No port range can be given on a shared load balancer: ${heldPort(range)}`);
  }
  const refs = await readCloudletRefs(tx, key);
  const { [instance.uniqueId]: _own, ...others } = refs.ports;
  const allotment = allotPorts(ports, others, parsePublicPortRange(cloudlet.envVar[PUBLIC_PORT_RANGE] ?? ""));
  if ("exhausted" in allotment) {
    throw failedPrecondition(`Cloudlet ${key} has no free public port for ${heldPort(allotment.exhausted)}`);
  }
  instance.mappedPorts = ports.map((port, i) => mappedPort(port, allotment.publicPorts[i]!));
  const own = ports.map(({ protocol }, i) => `${protocol}:${allotment.publicPorts[i]}`);
  writeCloudletRefs(tx, key, { ...refs, ports: { ...others, [instance.uniqueId]: own } });
}

/** Gives the ports of an instance on the site's load balancer back. */
export async function freeSharedPorts(tx: ObjectTx, cloudletKey: string, uniqueId: string): Promise<void> {
  const refs = await readCloudletRefs(tx, cloudletKey);
  const { [uniqueId]: own, ...others } = refs.ports;
  if (own !== undefined) writeCloudletRefs(tx, cloudletKey, { ...refs, ports: others });
}

function mappedPort(port: PortRange, publicPort: number): dme.AppPort {
  return dme.AppPort.create({
    proto: port.protocol === "tcp" ? dme.LProto.L_PROTO_TCP : dme.LProto.L_PROTO_UDP,
    internalPort: port.port,
    publicPort,
    endPort: port.endPort,
    tls: port.tls,
    nginx: port.nginx,
    maxPktSize: port.maxPacketBytes,
  });
}
