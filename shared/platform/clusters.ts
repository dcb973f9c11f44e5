import type { InfraMachine } from "./facts.ts";
import type { OperationContext } from "./operation.ts";
import type { FlavorSpec, ObjectRef } from "./specs.ts";

/** Machines of one kind in a cluster. */
export interface NodeGroup {
  readonly count: number;
  /** Size in the infrastructure; empty: as the cluster's flavor says. */
  readonly size: string;
}

/** A cluster in which instances run. */
export interface ClusterSpec extends ObjectRef {
  readonly name: string;
  readonly organization: string;
  /** What runs in it, e.g. "docker". */
  readonly deployment: string;
  readonly flavor: FlavorSpec;
  /** Master machines; absent: it has none of its own. */
  readonly masters?: NodeGroup;
  /** Machines that run the instances; absent: the masters do. */
  readonly nodes?: NodeGroup;
  /** A load balancer and an address of its own. */
  readonly dedicatedAddress?: boolean;
  /** Volume that all nodes share, gigabytes; absent or 0: none. */
  readonly sharedVolumeGb?: number;
  /** Separate volume of each node, gigabytes; absent or 0: none. */
  readonly externalVolumeGb?: number;
  /** Zone of the infrastructure; empty: any. */
  readonly zone?: string;
  /** Instances of several organizations share it. */
  readonly multiTenant?: boolean;
  /** Networks of the site to which it is joined. */
  readonly networks?: readonly string[];
  /** Leave what a failed creation has made, so that people can look at it. */
  readonly keepOnFailure?: boolean;
}

/** A cluster that the infrastructure holds for this site. */
export type FoundCluster = ObjectRef;

/** Operations on clusters; the same rules as for instances. */
export interface ClusterOps {
  /** Makes the cluster; one that is there already and has the same form is a success. */
  create(spec: ClusterSpec, operation: OperationContext): Promise<void>;
  /** Gives a cluster that is there another number of nodes, without touching what runs in it. */
  update?(spec: ClusterSpec, operation: OperationContext): Promise<void>;
  /** Removes the cluster; one that is not there is a success. */
  delete(ref: ObjectRef, operation: OperationContext): Promise<void>;
  list(operation: OperationContext): Promise<FoundCluster[]>;
  /** Machines of the cluster now; none when it is not there. */
  machines?(ref: ObjectRef): Promise<InfraMachine[]>;
  /** Address or host name of the cluster's own load balancer now; undefined: it has none, or is not there. */
  address?(ref: ObjectRef): Promise<string | undefined>;
}
