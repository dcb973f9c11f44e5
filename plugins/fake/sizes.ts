import type { InfraFlavor } from "../../shared/platform/mod.ts";

/** A load balancer's machine needs this much. */
const LOAD_BALANCER = { vcpus: 2, ramMb: 4096, diskGb: 40 };

/** Amounts of what the infrastructure has. */
export interface Amounts {
  readonly ramMb: number;
  readonly vcpus: number;
  readonly diskGb: number;
  readonly gpus: number;
  readonly externalIps: number;
}

/** Reads the sizes of the variable FAKE_FLAVORS, whose form has been checked. */
export function parseFlavors(text: string): InfraFlavor[] {
  return text.split(";").map((part) => {
    const [name, sizes, ...properties] = part.trim().split(" ") as [string, string, ...string[]];
    const [vcpus, ramMb, diskGb] = sizes.split("/").map(Number) as [number, number, number];
    const entries = properties.map((property) => {
      const at = property.indexOf("=");
      return [property.slice(0, at), property.slice(at + 1)] as const;
    });
    return { name, vcpus, ramMb, diskGb, properties: Object.fromEntries(entries) };
  });
}

/** Amounts that machines of a size take; sizes that are not offered take what they ask for. */
export function amountsOf(
  flavors: readonly InfraFlavor[],
  size: string,
  asked: { readonly vcpus: number; readonly ramMb: number; readonly diskGb: number },
  count: number,
  volumeGb = 0,
): Amounts {
  const flavor = flavors.find(({ name }) => name === size);
  const { vcpus, ramMb, diskGb } = flavor ?? asked;
  const gpus = flavor && (flavor.name.includes("gpu") || Object.keys(flavor.properties ?? {}).length > 0) ? 1 : 0;
  return {
    vcpus: vcpus * count,
    ramMb: ramMb * count,
    diskGb: (diskGb + volumeGb) * count,
    gpus: gpus * count,
    externalIps: 0,
  };
}

/** The size of a load balancer's machine: the smallest that is enough. */
export function balancerSize(flavors: readonly InfraFlavor[]): string {
  return [...flavors].sort((a, b) => a.vcpus - b.vcpus || a.ramMb - b.ramMb || a.diskGb - b.diskGb)
    .find(({ name, vcpus, ramMb, diskGb }) =>
      vcpus >= LOAD_BALANCER.vcpus && ramMb >= LOAD_BALANCER.ramMb &&
      (diskGb === 0 || diskGb >= LOAD_BALANCER.diskGb) && !name.includes("gpu")
    )?.name ?? "";
}

/** Amounts that a load balancer takes, with its address. */
export function balancerAmounts(flavors: readonly InfraFlavor[]): Amounts {
  return { ...amountsOf(flavors, balancerSize(flavors), LOAD_BALANCER, 1), externalIps: 1 };
}

/** The sum of amounts. */
export function sum(all: readonly Amounts[]): Amounts {
  const total = { ramMb: 0, vcpus: 0, diskGb: 0, gpus: 0, externalIps: 0 };
  for (const each of all) {
    for (const name of Object.keys(total) as (keyof Amounts)[]) total[name] += each[name];
  }
  return total;
}
