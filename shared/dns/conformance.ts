import assert from "node:assert/strict";
import { type DnsDriver, DnsError, type DnsRecord } from "./mod.ts";

/** One rule that every driver keeps. `root` is a name under which the driver may write, empty at first. */
export interface DnsConformanceCase {
  name: string;
  run(driver: DnsDriver, root: string, address: string): Promise<void>;
}

/** The suite that every DNS driver passes. `address` is an IPv4 address that it accepts. */
export const dnsConformance: DnsConformanceCase[] = [
  {
    name: "upsert replaces the record set of a name and type, and list shows it",
    async run(driver, root, address) {
      driver.checkRoot(root);
      const record: DnsRecord = { name: `shared.site.${root}`, type: "A", values: [address], ttlSeconds: 60 };
      await driver.upsert({ ...record, ttlSeconds: 300 });
      await driver.upsert(record);
      await driver.upsert(record);
      await driver.upsert({ ...record, name: `app.site.${root}` });
      assert.deepEqual(await driver.list(root), [{ ...record, name: `app.site.${root}` }, record]);
      assert.deepEqual(await driver.list(`shared.site.${root}`), [record]);
      assert.deepEqual(await driver.list(`ite.${root}`), []);
    },
  },
  {
    name: "delete removes a name, and says whether it was there",
    async run(driver, root, address) {
      await driver.upsert({ name: `a.${root}`, type: "A", values: [address], ttlSeconds: 60 });
      assert.equal(await driver.delete(`b.${root}`), false);
      assert.equal(await driver.delete(`a.${root}`), true);
      assert.equal(await driver.delete(`a.${root}`), false);
      assert.deepEqual(await driver.list(root), []);
    },
  },
  {
    name: "a CNAME stands alone",
    async run(driver, root, address) {
      const name = `a.${root}`;
      await driver.upsert({ name, type: "CNAME", values: [`b.${root}`], ttlSeconds: 60 });
      await assert.rejects(driver.upsert({ name, type: "A", values: [address], ttlSeconds: 60 }), DnsError);
      await driver.delete(name);
      await driver.upsert({ name, type: "A", values: [address], ttlSeconds: 60 });
    },
  },
  {
    name: "what is no record is refused and changes nothing",
    async run(driver, root, address) {
      const good: DnsRecord = { name: `a.${root}`, type: "A", values: [address], ttlSeconds: 60 };
      const wrong: DnsRecord[] = [
        { ...good, name: `A.${root}` },
        { ...good, name: `a..${root}` },
        { ...good, name: `-a.${root}` },
        { ...good, name: `${"a".repeat(64)}.${root}` },
        { ...good, name: `${"a.".repeat(127)}${root}` },
        { ...good, values: [] },
        { ...good, values: ["300.1.1.1"] },
        { ...good, values: ["elsewhere"] },
        { ...good, type: "AAAA" },
        { ...good, type: "CNAME", values: [`b.${root}`, `c.${root}`] },
        { ...good, ttlSeconds: -1 },
      ];
      for (const record of wrong) await assert.rejects(driver.upsert(record), DnsError, JSON.stringify(record));
      assert.deepEqual(await driver.list(root), []);
    },
  },
];
