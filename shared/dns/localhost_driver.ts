import { type DnsDriver, DnsError, type DnsRecord } from "./driver.ts";
import { checkRecord, isUnder, nameRule } from "./names.ts";

const ROOT = "localhost";

/**
 * The driver for one machine: names under `.localhost` reach it without any DNS (RFC 6761 6.3), so there is nothing to
 * write, and records that say otherwise are refused. It remembers records only so that they can be listed.
 */
export function createLocalhostDns(): DnsDriver {
  const records = new Map<string, DnsRecord>();
  return {
    checkRoot(root) {
      const rule = nameRule(root);
      if (rule) throw new DnsError(`DNS root ${JSON.stringify(root)} ${rule}`);
      if (!isUnder(root, ROOT)) {
        throw new DnsError(`DNS root ${root} is not under .${ROOT}, and the localhost driver can keep no other names`);
      }
    },
    // deno-lint-ignore require-await -- rejects rather than throws, as the interface has it
    async upsert(record) {
      checkRecord(record);
      this.checkRoot(record.name);
      const away = record.values.find((value) => !isLoopback(value));
      if (away !== undefined) {
        throw new DnsError(`DNS name ${record.name} always reaches this machine and cannot point to ${away}`);
      }
      for (const other of records.values()) {
        if (other.name === record.name && other.type !== record.type && [other.type, record.type].includes("CNAME")) {
          throw new DnsError(
            `DNS name ${record.name} has a ${other.type} record, beside which no ${record.type} can be`,
          );
        }
      }
      records.set(`${record.name} ${record.type}`, { ...record, values: [...record.values] });
    },
    // deno-lint-ignore require-await -- async by interface
    async delete(name) {
      const keys = [...records].filter(([, record]) => record.name === name).map(([key]) => key);
      for (const key of keys) records.delete(key);
      return keys.length > 0;
    },
    // deno-lint-ignore require-await -- async by interface
    async list(root) {
      return [...records].filter(([, record]) => isUnder(record.name, root)).sort(([a], [b]) => a < b ? -1 : 1)
        .map(([, record]) => record);
    },
    // deno-lint-ignore require-await -- async by interface
    async close() {
      records.clear();
    },
  };
}

function isLoopback(value: string): boolean {
  return value === "::1" || value.startsWith("127.") || isUnder(value, ROOT);
}
