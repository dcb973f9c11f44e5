/**
 * DNS records of sites and instances, behind one interface with a driver for each provider.
 * @module
 */
export { type DnsDriver, DnsError, type DnsRecord, type DnsRecordType } from "./driver.ts";
export { isUnder, MAX_LABEL_CHARACTERS, MAX_NAME_CHARACTERS, nameRule } from "./names.ts";
export { openDns } from "./open.ts";
