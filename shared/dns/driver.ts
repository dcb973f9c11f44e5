/** Types of records that the platform needs. */
export type DnsRecordType = "A" | "AAAA" | "CNAME";

/** What a name points to. One name has at most one record set of a type; a CNAME stands alone. */
export interface DnsRecord {
  /** Fully qualified, lower case, no trailing dot. */
  name: string;
  type: DnsRecordType;
  /** Addresses, or the one target of a CNAME. */
  values: readonly string[];
  /** Time for which resolvers may keep the answer, in seconds. */
  ttlSeconds: number;
}

/** Writes records of one DNS provider. All methods throw {@linkcode DnsError}. */
export interface DnsDriver {
  /** Refuses, before anything is written, a root under which this driver cannot keep names. */
  checkRoot(root: string): void;
  /** Makes the record set of this name and type be exactly this; doing it again changes nothing. */
  upsert(record: DnsRecord): Promise<void>;
  /** Removes all record sets of a name; false when there were none. */
  delete(name: string): Promise<boolean>;
  /** All record sets of `root` and the names under it, by name and type. */
  list(root: string): Promise<DnsRecord[]>;
  close(): Promise<void>;
}

/** A name, record or root that breaks a rule, or a provider that failed. */
export class DnsError extends Error {
  override readonly name = "DnsError";
}
