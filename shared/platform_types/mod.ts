/**
 * What the platform knows of every type of infrastructure, whether or not a plugin for it is there: which features it
 * has, what its machines and quotas are called, and how its resources are counted.
 *
 * @module
 */
export { type PlatformFeatures, platformFeatures } from "./features.ts";
export {
  COMMON_QUOTA_RESOURCES,
  DISK,
  EXTERNAL_IPS,
  GPUS,
  platformResources,
  type QuotaResource,
  quotaResources,
  RAM,
  VCPUS,
} from "./resources.ts";
export { platformProperties, PLUGIN_PLATFORMS, PUBLIC_ADDRESS_VARIABLE } from "./properties.ts";
/** What never changes about the plugins, and the names of their variables. */
export * as dockerPlugin from "./plugins/docker.ts";
export * as fakePlugin from "./plugins/fake.ts";
export * as processPlugin from "./plugins/process.ts";
export type { StepName as FakeStep } from "./plugins/fake.ts";
