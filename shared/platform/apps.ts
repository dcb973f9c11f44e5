import type { ClusterSpec } from "./clusters.ts";
import type { OperationContext } from "./operation.ts";
import type { CommandOutcome, CommandSpec, LogOptions, OutputPiece } from "./output.ts";
import type { FlavorSpec, MappedPort, ObjectRef } from "./specs.ts";

/** An instance of an app, with all that is needed to run it. */
export interface AppSpec extends ObjectRef {
  readonly app: { readonly organization: string; readonly name: string; readonly version: string };
  readonly deployment: string;
  /** Where the image is. */
  readonly imagePath: string;
  /** Replaces the image's own command; empty: the image's. */
  readonly command: string;
  /** Manifest of the deployment; empty: none. */
  readonly manifest: string;
  readonly ports: readonly MappedPort[];
  readonly flavor: FlavorSpec;
  /** Cluster in which it runs, for platforms that have clusters. */
  readonly cluster?: ClusterSpec;
  /** Configurations for what the manifest makes, by kind, e.g. helmCustomizationYaml. */
  readonly configs?: readonly { readonly kind: string; readonly config: string }[];
  /** Size in the infrastructure of an instance that is a machine of its own; empty: as its flavor says. */
  readonly size?: string;
  /** Separate volume of such a machine, gigabytes; absent or 0: none. */
  readonly externalVolumeGb?: number;
  /** Zone of the infrastructure; empty: any. */
  readonly zone?: string;
  /** An address of its own. */
  readonly dedicatedAddress?: boolean;
  /** Revision of the app; another one is a reason to deploy anew. */
  readonly revision: string;
}

/** How an instance came up. */
export interface AppOutcome {
  /** Containers or processes, for people. */
  readonly runtimeIds: readonly string[];
}

/** What can be done with the power of a machine. */
export type Power = "on" | "off" | "reboot";

/** Whether an instance runs. */
export type RunState = "absent" | "running" | "restarting" | "stopped";

/** An address whose opening shows that the instance answers. */
export interface ProbeTarget {
  readonly protocol: "tcp";
  readonly hostname: string;
  readonly port: number;
  /** A middle man accepts connections even when the app does not: the probe must see the connection stay open. */
  readonly proxied: boolean;
}

/** What the infrastructure says of an instance now. */
export interface AppStatus {
  readonly state: RunState;
  readonly runtimeIds: readonly string[];
  readonly probes: readonly ProbeTarget[];
  /** Why it does not run, for people. */
  readonly reason?: string;
  /** Address or host name by which the world reaches it, where it has one of its own. */
  readonly address?: string;
  /** The same for each port, such as "tcp:443", where each service has one of its own. */
  readonly portAddresses?: Readonly<Record<string, string>>;
}

/** An instance that the infrastructure holds for this site. */
export interface FoundApp extends ObjectRef {
  readonly state: RunState;
}

/** Operations on instances. The caller runs one at a time per instance; different ones run in parallel. */
export interface AppOps {
  /**
   * Makes the instance run as the specification says and waits until it does. One that runs so already is left
   * untouched; one that runs differently is replaced. After a failure nothing of it runs.
   */
  create(spec: AppSpec, operation: OperationContext): Promise<AppOutcome>;
  /** Deploys anew, fetching the image again. */
  update?(spec: AppSpec, operation: OperationContext): Promise<AppOutcome>;
  /**
   * Switches a machine off, on, or off and on again. One that is as wanted is left alone. What is switched off counts as
   * "stopped" and stays so, also after a restart of this process, until it is switched on or deployed anew.
   */
  setPower?(ref: ObjectRef, power: Power, operation: OperationContext): Promise<void>;
  /**
   * Runs a command in a running instance and yields what it writes, as it writes it: who does not ask for the next piece
   * holds the command up. It gets no input, and is ended when the operation is given up. A platform that can run none
   * has no such member, or refuses (Invalid) with the reason.
   */
  exec?(ref: ObjectRef, command: CommandSpec, operation: OperationContext): AsyncGenerator<OutputPiece, CommandOutcome>;
  /** What an instance has written, as far as it is kept. One that is not there is refused (NotFound). */
  logs?(ref: ObjectRef, options: LogOptions, operation: OperationContext): AsyncGenerator<OutputPiece, void>;
  /** Removes the instance and all it left behind; one that is not there is a success. */
  delete(ref: ObjectRef, operation: OperationContext): Promise<void>;
  /** All instances that the infrastructure holds for this site, also those of earlier processes. */
  list(operation: OperationContext): Promise<FoundApp[]>;
  /** The state of an instance now. */
  status(ref: ObjectRef): Promise<AppStatus>;
  /** Calls back with the key of an instance whose state may have changed. Returns the end of the subscription. */
  watch(listener: (key: string) => void): () => void;
}
