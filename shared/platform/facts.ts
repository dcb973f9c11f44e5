/** A size of machine that an infrastructure offers. */
export interface InfraFlavor {
  readonly name: string;
  readonly vcpus: number;
  /** Megabytes. */
  readonly ramMb: number;
  /** Gigabytes; 0: machines of this size keep their data on a separate volume. */
  readonly diskGb: number;
  /** Properties of the size by name, e.g. what accelerators its machines have. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** An image that the infrastructure holds. */
export interface InfraImage {
  readonly name: string;
  readonly tags?: string;
  readonly properties?: string;
  readonly diskFormat?: string;
}

/** A machine of the site's own; resources by name as decimal numbers, e.g. cpu "3.5". */
export interface InfraNode {
  readonly name: string;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly capacity: Readonly<Record<string, string>>;
}

/** Name of the property with the address or host name by which the world reaches what shares the site's load balancer. */
export const PUBLIC_ADDRESS = "public_address";

/** What a site can give, gathered once at start and after changes. */
export interface CloudletFacts {
  /** Memory in megabytes. */
  readonly ramMb: number;
  readonly vcpus: number;
  /** Disk in gigabytes; 0 when it is not known. */
  readonly diskGb: number;
  /** Facts for people, such as the engine's version. */
  readonly properties: Readonly<Record<string, string>>;
  /** Sizes of machines that are offered; absent: machines are made in any size. */
  readonly flavors?: readonly InfraFlavor[];
  /** Zones in which machines can be placed. */
  readonly zones?: readonly { readonly name: string; readonly status: string }[];
  readonly images?: readonly InfraImage[];
  readonly nodes?: readonly InfraNode[];
}

/** One resource of a site. Names are those that quotas use: "RAM" in MB, "vCPUs", "Disk" in GB, "External IPs", … */
export interface ResourceUse {
  readonly name: string;
  readonly used: number;
  /** 0: unknown or unbounded. */
  readonly max: number;
  readonly description?: string;
  /** Unit of the values; empty: a count. */
  readonly units?: string;
}

/** A machine that the platform's own services run on. */
export interface InfraMachine {
  readonly name: string;
  /** What it is for, e.g. "platform" or "sharedrootlb". */
  readonly type: string;
  readonly status: string;
  /** Size of the machine; empty: none of those that are offered. */
  readonly flavor: string;
}

/** What the infrastructure holds at one moment. */
export interface ResourceSnapshot {
  readonly machines: readonly InfraMachine[];
  readonly resources: readonly ResourceUse[];
}
