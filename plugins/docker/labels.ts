import { createHash } from "node:crypto";
import type { AppSpec, ObjectRef } from "../../shared/platform/mod.ts";

/** Labels by which containers and networks are found again. */
export const LABEL = {
  region: "archipelago.region",
  cloudlet: "archipelago.cloudlet",
  /** Key of the instance that a container is. */
  appInst: "archipelago.appinst",
  /** Key of the cluster that a network is. */
  clusterInst: "archipelago.clusterinst",
  /** Infrastructure name of the instance or cluster. */
  id: "archipelago.id",
  /** Service of the compose file that a container is. */
  service: "archipelago.service",
  /** Place of that service in its file, and how many there are: "0/3". */
  place: "archipelago.place",
  /** The container may come to its end. */
  ends: "archipelago.ends",
  /** Changes when a container has to be made anew. */
  fingerprint: "archipelago.fingerprint",
} as const;

/** Whose objects these are. */
export interface Site {
  readonly region: string;
  /** organization/name */
  readonly cloudlet: string;
}

/** Labels that every object of the site carries. */
export function siteLabels(site: Site): Record<string, string> {
  return { [LABEL.region]: site.region, [LABEL.cloudlet]: site.cloudlet };
}

/** Query that finds the objects of this site only, with a label of the given name (and value). */
export function siteFilter(site: Site, label: string, value?: string): string {
  const labels = Object.entries(siteLabels(site)).map(([name, text]) => `${name}=${text}`);
  return JSON.stringify({ label: [...labels, value === undefined ? label : `${label}=${value}`] });
}

/** The object that labels speak of. */
export function refOf(labels: Readonly<Record<string, string>>, keyLabel: string): ObjectRef {
  return { key: labels[keyLabel] ?? "", id: labels[LABEL.id] ?? "" };
}

/** Fingerprint of everything that decides how a container runs. */
export function fingerprintOf(spec: AppSpec): string {
  const parts: unknown[] = [spec.imagePath, spec.command, spec.ports, spec.flavor, spec.revision, spec.cluster?.key];
  if (spec.manifest.trim() !== "") parts.push(spec.manifest);
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}
