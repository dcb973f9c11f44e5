import { isIP } from "node:net";
import { nameRule } from "../../../../shared/dns/mod.ts";
import { type AppInst, type Cloudlet, type ClusterInst, dme, IpAccess } from "../../../../shared/schema/mod.ts";
import { type DnsZone, objectFqdn } from "./dns_labels.ts";

/** Names, and the addresses or the one host name that each leads to. */
export type Addresses = ReadonlyMap<string, readonly string[]>;

/** Whether a site's word is an address or a host name, to which a name can be pointed. */
export function isTarget(text: string): boolean {
  return isIP(text) !== 0 || (nameRule(text) === undefined && !/^[0-9.]+$/.test(text));
}

/** Key of a port's address in the reports of sites, e.g. `tcp:443`. */
export function portKey({ proto, internalPort }: Pick<dme.AppPort, "proto" | "internalPort">): string {
  return `${proto === dme.LProto.L_PROTO_UDP ? "udp" : "tcp"}:${internalPort}`;
}

/** The name of a cloudlet's load balancer. */
export function balancerNames({ rootLbFqdn }: Cloudlet, address: string): Addresses {
  return new Map(rootLbFqdn !== "" && address !== "" ? [[rootLbFqdn, [address]]] : []);
}

/** Whether a site has reported any address of an object's own. */
export function hasAddress(object: Pick<AppInst, "address"> & Partial<Pick<AppInst, "internalPortToLbIp">>): boolean {
  return object.address !== "" || Object.keys(object.internalPortToLbIp ?? {}).length > 0;
}

/** The name of a cluster that has a load balancer of its own. */
export function clusterNames(cluster: ClusterInst, cloudletLabel: string, zone: DnsZone): Addresses {
  const { address, fqdn, dnsLabel, ipAccess } = cluster;
  if (address === "" || ipAccess !== IpAccess.IP_ACCESS_DEDICATED || cloudletLabel === "") return new Map();
  const name = objectFqdn(dnsLabel, cloudletLabel, zone);
  return new Map(fqdn === name ? [[name, [address]]] : []);
}

/**
 * The names of an instance that is reached by an address of its own, or of its ports where each service has one. A site
 * that names its instances itself gets no name under another one's label.
 */
export function instanceNames(instance: AppInst, cloudletLabel: string, zone: DnsZone): Addresses {
  const { address, uri, dnsLabel, mappedPorts, internalPortToLbIp } = instance;
  if (!hasAddress(instance) || uri === "" || cloudletLabel === "") return new Map();
  if (uri !== objectFqdn(dnsLabel, cloudletLabel, zone)) return new Map();
  const names = new Map<string, readonly string[]>();
  if (address !== "") names.set(uri, [address]);
  for (const port of mappedPorts) {
    const target = internalPortToLbIp[portKey(port)] ?? address;
    // Ports of one service share its address; the first one settles it.
    if (target !== "" && !names.has(port.fqdnPrefix + uri)) names.set(port.fqdnPrefix + uri, [target]);
  }
  return names;
}
