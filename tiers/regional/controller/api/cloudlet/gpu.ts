import { createHash } from "node:crypto";
import { type Cloudlet, GPUDriverKind } from "../../../../../shared/schema/mod.ts";
import { failedPrecondition, refuse } from "../../faults.ts";
import { Issues } from "../../rules/issues.ts";
import type { ObjectTx } from "../../state/object_tx.ts";

/**
 * Checks the driver that a cloudlet names, in the transaction that stores the cloudlet, and notes the sum of its license
 * (specification 3.8). That the driver exists and is not about to go, the check of references has seen.
 */
export async function settleGpuConfig(tx: ObjectTx, cloudlet: Cloudlet): Promise<void> {
  const config = cloudlet.gpuConfig;
  if (config === undefined) return;
  const { driver, licenseConfig } = config;
  const named = driver.name !== "";
  const issues = new Issues();
  issues.check(
    named || (licenseConfig === "" && driver.organization === "" && Object.keys(config.properties).length === 0),
    "gpu_config.driver.name",
    "",
    "is required with anything else in gpu_config",
  );
  issues.check(
    driver.organization === "" || driver.organization === cloudlet.key.organization,
    "gpu_config.driver.organization",
    driver.organization,
    "must be the cloudlet's own, or empty for a driver of everybody's",
  );
  refuse(issues.list);
  if (!named) {
    cloudlet.gpuConfig = undefined;
    return;
  }
  const key = GPUDriverKind.keyString(driver);
  if ((await tx.require(GPUDriverKind, key)).state !== "") {
    throw failedPrecondition(`GPUDriver ${key} is being changed, try again later`);
  }
  if (licenseConfig !== "") config.licenseConfigMd5sum = createHash("md5").update(licenseConfig).digest("hex");
}
