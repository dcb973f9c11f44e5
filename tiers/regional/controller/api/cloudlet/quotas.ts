import type { Cloudlet, CloudletInfo } from "../../../../../shared/schema/mod.ts";
import { refuse } from "../../faults.ts";
import { usageOf } from "../../rules/cloudlet_usage.ts";
import { Issues } from "../../rules/issues.ts";
import type { ObjectTx } from "../../state/object_tx.ts";
import { readRefs, readSite } from "../resources/mod.ts";

/** Quotas may neither be below what is in use nor above what the infrastructure has (specification 3.8). */
export async function checkQuotas(tx: ObjectTx, cloudlet: Cloudlet, info: CloudletInfo): Promise<void> {
  const { bounds } = await readSite(tx, cloudlet);
  const usage = usageOf(await readRefs(tx, cloudlet.key), { ...bounds, quotas: [] });
  const maxima: Readonly<Record<string, number>> = {
    RAM: info.osMaxRam,
    vCPUs: info.osMaxVcores,
    Disk: info.osMaxVolGb,
  };
  const issues = new Issues();
  cloudlet.resourceQuotas.forEach(({ name, value }, i) => {
    if (value === 0) return;
    const resource = usage.find((each) => each.name === name);
    const used = resource?.used ?? 0;
    const most = resource?.infraMax || maxima[name] || Infinity;
    const path = `resource_quotas[${i}].value`;
    issues.check(value >= used, path, value, `must be at least what is in use (${used})`);
    issues.check(value <= most, path, value, `must be at most what the infrastructure has (${most})`);
  });
  refuse(issues.list);
}
