import type { FlavorInfo } from "../../../../shared/schema/mod.ts";

/** What is asked for: a flavor of the region. */
export interface WantedSize {
  readonly name: string;
  readonly ramMb: number;
  readonly vcpus: number;
  readonly diskGb: number;
  /** Optional resources by name ("gpu", "nas", "nic"), each as `kind:N` or `kind:spec:N`. */
  readonly optional: Readonly<Record<string, string>>;
}

/** What a site has to offer. */
export interface SiteOffer {
  /** Sizes of machines; none: machines are made in any size. */
  readonly flavors: readonly FlavorInfo[];
  /**
   * Tags by which optional resources are recognised in the properties of a size, by resource: what a property's name
   * contains, and what its value then contains.
   */
  readonly tables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly zones: readonly string[];
  readonly images: readonly string[];
}

/** A size of machine on a site. */
export interface SiteSize {
  /** Name in the infrastructure. */
  readonly name: string;
  readonly vcpus: number;
  readonly ramMb: number;
  /** Disk in gigabytes that comes with the machine, or as a separate volume. */
  readonly diskGb: number;
  /** Size of the separate volume, gigabytes; 0: none. */
  readonly externalVolumeGb: number;
  /** Zone and image for machines with optional resources; empty: any. */
  readonly availabilityZone: string;
  readonly image: string;
  /** "gpu" when machines of this size have an accelerator, else empty. */
  readonly optRes: "gpu" | "";
}

/** Why nothing fits: the site has no such accelerators, or no size that is large enough. */
export interface NoMatch {
  readonly fault: "no-gpu" | "no-flavor";
  /** For people; says what was asked for. */
  readonly reason: string;
}

/** Kind that stands for accelerators of any kind. */
const ANY_KIND = "gpu";

/**
 * Finds the smallest size of a site that is large enough for a flavor and offers exactly the optional resources that it
 * asks for (specification 4.3).
 */
export function matchFlavor(wanted: WantedSize, offer: SiteOffer): SiteSize | NoMatch {
  if (offer.flavors.length === 0) return asWanted(wanted);
  const asked = Object.entries(wanted.optional);
  const lacking = asked.length === 0 ? undefined : lackingResource(wanted, offer);
  if (lacking !== undefined) return lacking;
  const found = [...offer.flavors].sort(bySize).find((flavor) =>
    isLargeEnough(flavor, wanted) &&
    (asked.length === 0 ? isPlain(flavor, offer) : offersExactly(flavor, asked, offer))
  );
  if (found === undefined) return { fault: "no-flavor", reason: `no size of the site fits flavor ${text(wanted)}` };
  const special = (names: readonly string[]) =>
    asked.length === 0 ? "" : names.find((name) => name.toLowerCase().includes("gpu")) ?? "";
  return {
    name: found.name,
    vcpus: found.vcpus,
    ramMb: found.ram,
    diskGb: found.disk === 0 ? wanted.diskGb : found.disk,
    externalVolumeGb: found.disk === 0 ? wanted.diskGb : 0,
    availabilityZone: special(offer.zones),
    image: special(offer.images),
    optRes: hasAccelerator(found, offer) ? "gpu" : "",
  };
}

/** Whether a match was found. */
export function isMatch(match: SiteSize | NoMatch): match is SiteSize {
  return !("fault" in match);
}

/** Whether machines of a size have an accelerator. */
export function hasAccelerator(flavor: FlavorInfo, { tables }: Pick<SiteOffer, "tables">): boolean {
  return flavor.name.includes("gpu") || offers(flavor, tables["gpu"]);
}

function asWanted({ name, vcpus, ramMb, diskGb, optional }: WantedSize): SiteSize {
  const optRes = optional["gpu"] === undefined ? "" : "gpu";
  return { name, vcpus, ramMb, diskGb, externalVolumeGb: 0, availabilityZone: "", image: "", optRes };
}

function lackingResource(wanted: WantedSize, { tables }: SiteOffer): NoMatch | undefined {
  const gpu = wanted.optional["gpu"];
  if (gpu !== undefined && tables["gpu"] === undefined) {
    return { fault: "no-gpu", reason: `the site has no GPUs, which flavor ${wanted.name} asks for (${gpu})` };
  }
  if (Object.keys(tables).length === 0) {
    const names = Object.keys(wanted.optional).join(", ");
    return {
      fault: "no-flavor",
      reason: `the site has no optional resources, flavor ${wanted.name} asks for ${names}`,
    };
  }
  if (gpu === undefined) return undefined;
  const { kind } = parseOptional(gpu);
  if (kind === ANY_KIND || Object.values(tables).some((table) => table[kind] !== undefined)) return undefined;
  return { fault: "no-gpu", reason: `the site has no GPUs of kind ${kind}, which flavor ${wanted.name} asks for` };
}

function isLargeEnough(flavor: FlavorInfo, wanted: WantedSize): boolean {
  return flavor.vcpus >= wanted.vcpus && flavor.ram >= wanted.ramMb &&
    (flavor.disk === 0 || flavor.disk >= wanted.diskGb);
}

/** Sizes with accelerators are kept for those who ask for them. */
function isPlain(flavor: FlavorInfo, { tables }: SiteOffer): boolean {
  return !flavor.name.includes("gpu") && !Object.values(tables).some((table) => offers(flavor, table));
}

function offersExactly(flavor: FlavorInfo, asked: readonly [string, string][], { tables }: SiteOffer): boolean {
  const matched = new Set<string>();
  for (const [resource, request] of asked) {
    const table = tables[resource];
    if (table === undefined) continue;
    if (!satisfies(flavor, request, table)) return false;
    matched.add(resource);
  }
  const offered = Object.keys(tables).filter((resource) => offers(flavor, tables[resource]));
  return offered.length === matched.size && offered.every((resource) => matched.has(resource));
}

function offers(flavor: FlavorInfo, table: Readonly<Record<string, string>> | undefined): boolean {
  const tags = Object.values(table ?? {});
  return Object.values(flavor.propMap).some((value) => tags.some((tag) => value.includes(tag)));
}

function satisfies(flavor: FlavorInfo, request: string, table: Readonly<Record<string, string>>): boolean {
  const { kind, spec, count } = parseOptional(request);
  return Object.entries(flavor.propMap).some(([name, value]) => {
    if (countOf(value) < count) return false;
    if (kind === ANY_KIND) return Object.keys(table).some((tag) => name.includes(tag));
    const tag = table[kind];
    return tag !== undefined && name.includes(kind) && value.includes(tag) && value.includes(spec);
  });
}

/** Reads `kind:N` or `kind:spec:N`; `=` may stand for the first colon. */
function parseOptional(text: string): { kind: string; spec: string; count: number } {
  const parts = text.replace("=", ":").split(":");
  return { kind: parts[0]!, spec: parts.length > 2 ? parts[1]! : "", count: Number(parts.at(-1)) || 1 };
}

/** How many a property speaks of: what follows the colon, or the equals sign where there is none. */
function countOf(value: string): number {
  const plain = value.replaceAll(/["']/g, "");
  const at = Math.max(plain.lastIndexOf(":"), plain.includes(":") ? -1 : plain.lastIndexOf("="));
  return at < 0 ? 0 : Number(plain.slice(at + 1)) || 0;
}

function bySize(a: FlavorInfo, b: FlavorInfo): number {
  return a.vcpus - b.vcpus || a.ram - b.ram || a.disk - b.disk;
}

function text({ name, ramMb, vcpus, diskGb, optional }: WantedSize): string {
  const more = Object.entries(optional).map(([resource, request]) => `, ${resource} ${request}`).join("");
  return `${name} (${ramMb} MB, ${vcpus} vCPUs, ${diskGb} GB${more})`;
}
