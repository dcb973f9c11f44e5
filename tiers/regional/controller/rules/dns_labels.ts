import type { AppKey, CloudletKey, ClusterInstKey } from "../../../../shared/schema/mod.ts";
import { sanitizeDns } from "./names.ts";

// Specification 4.10; services specification 2.7.

/** Longest label of a cloudlet, in characters. */
export const MAX_CLOUDLET_LABEL_CHARACTERS = 50;
/** Longest label of a cluster or instance, in characters. */
export const MAX_OBJECT_LABEL_CHARACTERS = 63;
/** Longest identifier of an instance, in characters: infrastructures take no more. */
export const MAX_UNIQUE_ID_CHARACTERS = 63;
/** Longest root under which names are made, in characters. */
export const MAX_DNS_ROOT_CHARACTERS = 40;

const SHARED_LOAD_BALANCER = "shared";

/** The label that a cloudlet gets unless it is taken. */
export function cloudletLabel(key: CloudletKey): string {
  return `${sanitizeDns(key.name, 40)}-${sanitizeDns(key.organization, 20)}`;
}

/** The label that a cluster gets unless it is taken. */
export function clusterLabel(key: ClusterInstKey): string {
  return `${sanitizeDns(key.clusterKey.name, 40)}-${sanitizeDns(key.organization, 20)}`;
}

/** The label that an instance gets unless it is taken. */
export function appInstLabel(app: AppKey): string {
  const organization = sanitizeDns(app.organization, 60);
  const label = `${sanitizeDns(app.name, 60)}${sanitizeDns(app.version, 60)}-${organization}`;
  if (label.length <= MAX_OBJECT_LABEL_CHARACTERS) return label;
  return `${sanitizeDns(app.name, 40)}${sanitizeDns(app.version, 10)}-${organization}`;
}

/** The identifier that an instance gets unless it is taken; it holds no dot. `cluster` is empty when it has none. */
export function appInstId(app: AppKey, cluster: string, cloudlet: CloudletKey): string {
  const parts = [
    `${app.organization}${app.name}${app.version}`,
    cluster,
    cloudlet.name,
    cloudlet.organization,
  ];
  return parts.filter((part) => part !== "").map((part) => sanitizeDns(part)).join("-");
}

/** A base text with a number from the second try on, cut so that the whole is at most `maxCharacters`. */
export function salted(base: string, attempt: number, maxCharacters: number): string {
  const salt = attempt === 0 ? "" : String(attempt);
  return base.slice(0, maxCharacters - salt.length).replace(/-+$/, "") + salt;
}

/** Where names of the region live. */
export interface DnsZone {
  readonly region: string;
  readonly root: string;
}

/** Name of an object of a cloudlet. */
export function objectFqdn(label: string, cloudlet: string, zone: DnsZone): string {
  return `${label}.${cloudlet}.${sanitizeDns(zone.region)}.${zone.root}`;
}

/** Name of a cloudlet's shared load balancer. */
export function sharedFqdn(cloudlet: string, zone: DnsZone): string {
  return objectFqdn(SHARED_LOAD_BALANCER, cloudlet, zone);
}
