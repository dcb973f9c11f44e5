import type { Cloudlet } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";

/** Optional resources that a table can be named for (specification 3.7). */
export const OPTIONAL_RESOURCES: readonly string[] = ["gpu", "nas", "nic"];

/** Checks the tables by which a cloudlet's optional resources are recognised. */
export function checkTables({ key, resTagMap }: Cloudlet, issues: Issues): void {
  for (const [resource, table] of Object.entries(resTagMap)) {
    const path = `res_tag_map.${resource}`;
    const known = OPTIONAL_RESOURCES.includes(resource);
    issues.check(known, path, resource, `must be one of ${OPTIONAL_RESOURCES.join(", ")}`);
    issues.check(table.name !== "", `${path}.name`, "", "is required");
    issues.check(
      table.organization === key.organization,
      `${path}.organization`,
      table.organization,
      `must be ${key.organization}, to which the cloudlet belongs`,
    );
  }
}
