/** What apps have outside of the region: images in registries, and files by URL. Only hosts that were named are asked. */
export { AppSources, type Findings, type ImageCheck, type OutsideField } from "./app_sources.ts";
export { SourceHosts } from "./hosts.ts";
export { SourceReader } from "./reader.ts";
export { registrySecretPath } from "./registry.ts";
