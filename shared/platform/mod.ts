/**
 * The contract between a site's resource manager and its infrastructure plugins (services specification 3.3).
 * A plugin's `mod.ts` default-exports a {@linkcode CreatePlatform}.
 *
 * @module
 */
export type { CloudletPlatform, CreatePlatform, EgressRule, PlatformContext } from "./platform.ts";
export type {
  CloudletFacts,
  InfraFlavor,
  InfraImage,
  InfraMachine,
  InfraNode,
  ResourceSnapshot,
  ResourceUse,
} from "./facts.ts";
export { PUBLIC_ADDRESS } from "./facts.ts";
export type { PlatformFeatures, PlatformMeta, PropertyInfo } from "./meta.ts";
export { featuresOf, propertyValue } from "./meta.ts";
export type { OperationContext } from "./operation.ts";
export { remainingMs, throwIfEnded } from "./operation.ts";
export type { AppOps, AppOutcome, AppSpec, AppStatus, FoundApp, Power, ProbeTarget, RunState } from "./apps.ts";
export type { ClusterOps, ClusterSpec, FoundCluster, NodeGroup } from "./clusters.ts";
export type { FlavorSpec, MappedPort, ObjectRef } from "./specs.ts";
export type { PlatformLog } from "./log.ts";
export { probe } from "./probe.ts";
export { PlatformError, type PlatformFault } from "./errors.ts";
export { infrastructureName } from "./names.ts";
export {
  type CommandOutcome,
  type CommandSpec,
  lastLinesOf,
  type LogOptions,
  type OutputPiece,
  requireContainer,
} from "./output.ts";
export { waitUntilUp } from "./wait_until_up.ts";
