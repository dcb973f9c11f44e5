/** An object of the region on the site, by both of its names. */
export interface ObjectRef {
  /** Canonical key string of the region object. */
  readonly key: string;
  /** Name for the infrastructure: unique in the region, at most 63 of a-z, 0-9 and "-". */
  readonly id: string;
}

/** Compute resources. */
export interface FlavorSpec {
  readonly name: string;
  /** Megabytes. */
  readonly ramMb: number;
  readonly vcpus: number;
  /** Gigabytes. */
  readonly diskGb: number;
}

/** A port of an app and the port by which clients reach it. */
export interface MappedPort {
  readonly protocol: "tcp" | "udp";
  readonly internalPort: number;
  readonly publicPort: number;
  /** Last internal port of a range; 0 for a single port. The public range has the same width. */
  readonly endPort: number;
}
