/**
 * What an app of deployment `process` asks for: its permission manifest and the place of its module.
 * Everything that is not granted here stays closed to the app.
 */
export {
  EMPTY_MANIFEST,
  ManifestError,
  type ManifestIssue,
  type NetTarget,
  type ProcessManifest,
  SCRATCH,
} from "./manifest.ts";
export { type ManifestOptions, type ManifestResult, parseProcessManifest, readProcessManifest } from "./read.ts";
export { hostRule, isForbiddenAddress, parseNetTarget } from "./net_target.ts";
export { type ModuleSource, parseModuleSource } from "./module_source.ts";
