import type { Flavor } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";

/** Checks a new flavor; that its sizes are above 0 is the schema's rule. */
export function checkFlavor(flavor: Flavor, issues: Issues): void {
  checkName(issues, "key.name", flavor.key.name);
}
