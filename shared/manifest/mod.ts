/**
 * Manifests of apps: what an app of deployment `process` asks for (everything that is not granted there stays closed to it)
 * and where its module is, Kubernetes objects, and compose files.
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
export {
  type KubernetesFacts,
  type KubernetesOptions,
  type KubernetesResult,
  MAX_KUBERNETES_CHARACTERS,
  readKubernetesManifest,
  type ServicePort,
} from "./kubernetes.ts";
export { type KubernetesBasicApp, kubernetesBasicManifest, serviceName } from "./kubernetes_basic.ts";
export { type EnvVariable, readEnvList, readYaml } from "./env_list.ts";
export { DEFAULT_DELIMITER, splitDelimiter, withoutTemplates } from "./templates.ts";
export { readComposeArchive } from "./compose_archive.ts";
export {
  type ComposeApp,
  type ComposeResult,
  type ComposeService,
  DEFAULT_NETWORK,
  parseCompose,
  readCompose,
  startOrder,
} from "./compose.ts";
export type { ComposePort, ComposeRestart, ComposeVolume } from "./compose_values.ts";
