import type { JsonValue } from "../../../../shared/schema/mod.ts";
import { NO_CLUSTER } from "../rules/cluster_names.ts";

/** A row to write in the place of another, or (without a value) to delete. */
export interface RowChange {
  readonly key: string;
  readonly value?: JsonValue;
}

/** One step from a version of the data model to the next. */
export interface Upgrade {
  /** Version that the store has afterwards; the step begins at the one before. */
  readonly to: number;
  /** What changes, for people. */
  readonly what: string;
  /** Prefixes of the rows that it looks at; others stay as they are. */
  readonly prefixes: readonly string[];
  /**
   * What becomes of one row, as JSON; nothing when it stays. It may be asked again about rows that it has written, after
   * a crash in the middle, and must leave those alone.
   */
  change(key: string, value: JsonValue): readonly RowChange[];
}

/**
 * All steps, in order. A change of what is stored that an older row does not fit adds one here, with a test on a dump that
 * the version before has made (`testdata/`). New fields need none: absent ones are empty.
 */
export const UPGRADES: readonly Upgrade[] = [
  {
    to: 2,
    what: "public ports move beside the books of a cloudlet's resources",
    prefixes: ["/v1/CloudletRefs/"],
    change(key, value) {
      // Books of resources, written by this version, name their cloudlet.
      if (typeof value !== "object" || value === null || "key" in value) return [];
      return [{ key }, { key: key.replace("/v1/CloudletRefs/", "/v1/CloudletPorts/"), value }];
    },
  },
  {
    to: 3,
    what: "app instances name the cluster in which they run",
    prefixes: ["/v1/AppInst/"],
    change: nameRealCluster,
  },
];

/** Until version 3 the cluster was the one of the key, unless that stood for none. */
function nameRealCluster(key: string, value: JsonValue): readonly RowChange[] {
  const instance = value as {
    key?: { cluster_inst_key?: { cluster_key?: { name?: string } } };
    real_cluster_name?: string;
  };
  const name = instance.key?.cluster_inst_key?.cluster_key?.name ?? NO_CLUSTER;
  if (name === NO_CLUSTER || instance.real_cluster_name !== undefined) return [];
  return [{ key, value: { ...value as object, real_cluster_name: name } as JsonValue }];
}
