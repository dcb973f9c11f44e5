import { platformFeatures } from "../../shared/platform_types/mod.ts";
import type { AppSpec } from "../../shared/platform/mod.ts";
import { PlatformType } from "../../shared/schema/mod.ts";
import type { Infrastructure } from "./infrastructure.ts";

/** The address of a place: its number is kept, so that it stays the same while the site's addresses do. */
export function addressAt({ firstAddress }: Infrastructure, place: number): string {
  const first = firstAddress.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return [24, 16, 8, 0].map((bits) => Math.floor((first + place) / 2 ** bits) % 256).join(".");
}

/** The first place that is free; the shared load balancer has the one before. */
export function freePlace({ apps, clusters }: Infrastructure): number {
  const taken = new Set([...apps.all(), ...clusters.all()].map(({ place }) => place));
  let place = 1;
  while (taken.has(place)) place++;
  return place;
}

/** Whether an instance has an address of its own: machines do, and everything where each service has one. */
export function hasOwnAddress({ context }: Infrastructure, spec: AppSpec): boolean {
  if (spec.ports.length === 0) return false;
  return spec.deployment === "vm" || spec.dedicatedAddress === true || isPerService(context.cloudlet.organization);
}

/** Whether each service has an address of its own, as in the clouds that some operators pretend to be. */
export function isPerService(operator: string): boolean {
  return platformFeatures(PlatformType.PLATFORM_TYPE_FAKE, operator).ipPerService;
}
