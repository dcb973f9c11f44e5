import { DnsError, type DnsRecord } from "./driver.ts";

/** Longest name, in characters (RFC 1035 2.3.4, less the root's dot and length octets). */
export const MAX_NAME_CHARACTERS = 253;
/** Longest label, in characters (RFC 1035 2.3.4). */
export const MAX_LABEL_CHARACTERS = 63;

const LABEL = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/;
const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

/** The rule that a fully qualified name breaks, or undefined when it is sound. */
export function nameRule(name: string): string | undefined {
  if (name.length > MAX_NAME_CHARACTERS) return `must be at most ${MAX_NAME_CHARACTERS} characters`;
  for (const label of name.split(".")) {
    if (label.length > MAX_LABEL_CHARACTERS) return `has a label of more than ${MAX_LABEL_CHARACTERS} characters`;
    if (!LABEL.test(label)) return "must consist of labels of lower-case letters, digits and inner hyphens";
  }
  return undefined;
}

/** Whether `name` is `root` or lies under it. */
export function isUnder(name: string, root: string): boolean {
  return name === root || name.endsWith(`.${root}`);
}

/** Checks the parts of a record that no provider takes otherwise; throws a DnsError. */
export function checkRecord(record: DnsRecord): void {
  const rule = nameRule(record.name);
  if (rule) throw new DnsError(`DNS name ${JSON.stringify(record.name)} ${rule}`);
  if (record.values.length === 0) throw new DnsError(`DNS record ${record.name} ${record.type} has no value`);
  if (!Number.isSafeInteger(record.ttlSeconds) || record.ttlSeconds < 0) {
    throw new DnsError(`DNS record ${record.name} ${record.type} has a time to live of ${record.ttlSeconds}`);
  }
  for (const value of record.values) {
    const sound = record.type === "A"
      ? IPV4.test(value)
      : record.type === "AAAA"
      ? value.includes(":") && URL.canParse(`http://[${value}]`)
      : record.values.length === 1 && nameRule(value) === undefined;
    if (!sound) throw new DnsError(`DNS record ${record.name} ${record.type} cannot have the value ${value}`);
  }
}
