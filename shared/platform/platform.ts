import type { Clock, Files, Processes, RandomSource } from "../runtime/mod.ts";
import type { PlatformLog } from "./log.ts";
import type { AppOps } from "./apps.ts";
import type { ClusterOps } from "./clusters.ts";
import type { CloudletFacts, ResourceSnapshot } from "./facts.ts";
import type { PlatformMeta } from "./meta.ts";
import type { OperationContext } from "./operation.ts";

/** What a plugin is given: who the site is, what it may use, and where it may keep things. */
export interface PlatformContext {
  readonly region: string;
  readonly cloudlet: { readonly organization: string; readonly name: string };
  /** Name of the site in its infrastructure. */
  readonly physicalName: string;
  /** The operator's variables of the cloudlet; look them up with {@linkcode propertyValue}. */
  readonly variables: Readonly<Record<string, string>>;
  /** Absolute path of a folder of the plugin's own, which exists and outlives restarts. */
  readonly directory: string;
  /** Path of the JavaScript runtime that sandboxed apps run on. */
  readonly runtime: string;
  /** Folders from which modules may be taken; empty: wherever the process may read. */
  readonly moduleRoots: readonly string[];
  readonly log: PlatformLog;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly files: Files;
  readonly processes: Processes;
  readonly fetch: typeof fetch;
}

/** Connections to the outside that a trust policy allows. */
export interface EgressRule {
  readonly protocol: "tcp" | "udp" | "icmp";
  /** First and last port; 0 for ICMP. */
  readonly firstPort: number;
  readonly lastPort: number;
  /** Block of addresses at the other end, e.g. "10.0.0.0/8". */
  readonly remoteCidr: string;
}

/**
 * One infrastructure. It keeps no state beyond caches: what must survive a restart is in the infrastructure itself
 * (labels, records), so that a new process finds it again.
 */
export interface CloudletPlatform {
  readonly meta: PlatformMeta;
  /**
   * Checks the variables, reaches the infrastructure and finds what runs there already; changes nothing that runs.
   * Throws {@linkcode PlatformError} when the site cannot work.
   */
  init(context: PlatformContext, operation: OperationContext): Promise<void>;
  /** What the site can give. */
  gather(operation: OperationContext): Promise<CloudletFacts>;
  /** What is in use now, and how much there is. Present when the infrastructure can tell. */
  resources?(operation: OperationContext): Promise<ResourceSnapshot>;
  /** Prepares the site for work on its machines, or opens it again afterwards. Repeating it changes nothing. */
  setMaintenance?(underMaintenance: boolean, operation: OperationContext): Promise<void>;
  /** Lets apps connect only where the rules say; undefined: anywhere. Repeating it changes nothing. */
  setTrustPolicy?(rules: readonly EgressRule[] | undefined, operation: OperationContext): Promise<void>;
  readonly apps: AppOps;
  /** Present when apps live in clusters. */
  readonly clusters?: ClusterOps;
  /** Lets go of everything that this process holds. Apps go on running, unless `stopApps`, which ends them all first. */
  close(options?: { readonly stopApps?: boolean }): Promise<void>;
}

/** Makes a platform that is not yet initialised; what a plugin default-exports. */
export type CreatePlatform = () => CloudletPlatform;
