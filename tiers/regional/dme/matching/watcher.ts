import type { AppShape, InstanceShape } from "./objects.ts";
import type { CloudletEntry, InstanceEntry } from "./tables.ts";

/**
 * Is told of changes that matter to devices which use an instance now (DME specification 5.3). Called in the middle of
 * a change, when the tables are in line with it already; must not change the tables and must not throw.
 */
export interface TableWatcher<A extends AppShape, I extends InstanceShape> {
  /** The cloudlet's maintenance state is another one now; a new cloudlet comes from normal operation. */
  maintenance(cloudlet: CloudletEntry<A, I>, state: number): void;
  /** The cloudlet's online state is another one now; without a report it is `CLOUDLET_STATE_NOT_PRESENT`. */
  cloudletState(cloudlet: CloudletEntry<A, I>, state: number): void;
  /** A known instance's health is another one now. */
  health(instance: InstanceEntry<A, I>, health: number): void;
  /** The instance may be offered now: it is new, or has become ready, healthy or part of a cloudlet in order. */
  available(instance: InstanceEntry<A, I>): void;
  /** An instance that was ready no longer is: it is being deleted, changed, or has failed. */
  unready(instance: InstanceEntry<A, I>): void;
  /** The instance is gone. */
  instanceGone(instance: InstanceEntry<A, I>): void;
  /** The cloudlet is gone. */
  cloudletGone(cloudlet: CloudletEntry<A, I>): void;
}
