import type { OperationContext } from "./operation.ts";
import type { FlavorSpec, ObjectRef } from "./specs.ts";

/** A cluster in which instances run. */
export interface ClusterSpec extends ObjectRef {
  readonly name: string;
  readonly organization: string;
  /** What runs in it, e.g. "docker". */
  readonly deployment: string;
  readonly flavor: FlavorSpec;
}

/** A cluster that the infrastructure holds for this site. */
export type FoundCluster = ObjectRef;

/** Operations on clusters; the same rules as for instances. */
export interface ClusterOps {
  /** Makes the cluster; one that is there already is a success. */
  create(spec: ClusterSpec, operation: OperationContext): Promise<void>;
  /** Removes the cluster; one that is not there is a success. */
  delete(ref: ObjectRef, operation: OperationContext): Promise<void>;
  list(operation: OperationContext): Promise<FoundCluster[]>;
}
