import { nameRule } from "../../../../shared/dns/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import type { Cloudlet } from "../../../../shared/schema/mod.ts";
import { type DnsZone, objectFqdn } from "../rules/dns_labels.ts";

/** The name under which all names of a cloudlet are. */
export function cloudletDomain(cloudlet: Cloudlet, zone: DnsZone): string {
  // An object's name without its label.
  return objectFqdn("x", cloudlet.dnsLabel, zone).slice("x.".length);
}

/**
 * Checks that a name is the caller's own: its cloudlet's, or one below it (specification 7.3).
 * @param wildcard whether one leading `*` label is taken
 * @returns the name in lower case, without a trailing dot
 */
export function requireOwnName(cloudlet: Cloudlet, zone: DnsZone, given: string, wildcard: boolean): string {
  const name = given.toLowerCase().replace(/\.$/, "");
  const plain = wildcard ? name.replace(/^\*\./, "") : name;
  const rule = nameRule(plain);
  if (rule !== undefined) {
    throw new RpcError(Status.INVALID_ARGUMENT, `name ${JSON.stringify(given.slice(0, 260))} ${rule}`);
  }
  const domain = cloudletDomain(cloudlet, zone);
  if (plain === domain || plain.endsWith(`.${domain}`)) return name;
  throw new RpcError(Status.PERMISSION_DENIED, `name ${name}: only ${domain} and names below it are this cloudlet's`);
}
