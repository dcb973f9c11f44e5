import { type App, type Flavor, parseDecimal, ServerlessConfig } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";

/** Virtual CPUs are given to the thousandth. */
const MAX_VCPU_FRACTION_DIGITS = 3;

/** Brings the decimals of a serverless configuration into their one form, as far as they are ones. */
export function normalizeServerless({ serverlessConfig: config }: App): void {
  if (config) config.vcpus = parseDecimal(config.vcpus) ?? config.vcpus;
}

/** Checks what an app asks of clusters that several organizations share (specification 3.3). */
export function checkServerless(app: App, issues: Issues): void {
  const config = app.serverlessConfig;
  if (!app.allowServerless) {
    issues.check(config === undefined, "serverless_config", "", "needs allow_serverless");
    return;
  }
  const flag = "allow_serverless";
  issues.check(app.deployment === "kubernetes", flag, true, "is for deployment kubernetes only");
  issues.check(!app.scaleWithCluster, flag, true, "cannot go with scale_with_cluster");
  // Limits are put into the manifest, which must be known for that.
  const isOwn = app.deployment === "kubernetes" && app.deploymentManifest !== "" && app.deploymentGenerator === "";
  issues.check(!isOwn, flag, true, "is for generated manifests only");
  if (config === undefined || config.vcpus === "") return;
  const path = "serverless_config.vcpus";
  if (parseDecimal(config.vcpus) === undefined) {
    issues.add(path, config.vcpus, 'must be a decimal number from 0, such as "0.5"');
    return;
  }
  const digits = config.vcpus.split(".")[1]?.length ?? 0;
  issues.check(digits <= MAX_VCPU_FRACTION_DIGITS, path, config.vcpus, "may have 3 digits behind the point");
}

/** Completes the configuration of an app that allows it, from its default flavor. */
export function defaultServerless(app: App, flavor: Flavor): void {
  if (!app.allowServerless) return;
  const config = app.serverlessConfig ??= ServerlessConfig.create();
  if (config.vcpus === "") config.vcpus = String(flavor.vcpus);
  if (config.ram === 0) config.ram = flavor.ram;
  if (config.minReplicas === 0) config.minReplicas = 1;
}
