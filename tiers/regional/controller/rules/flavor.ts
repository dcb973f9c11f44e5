import type { Flavor } from "../../../../shared/schema/mod.ts";
import type { Issues } from "./issues.ts";
import { checkName } from "./names.ts";

/** Resources beyond memory, CPU and disk, by the names that flavors and cloudlets use for them. */
export const OPTIONAL_RESOURCES = ["gpu", "nas", "nic"] as const;

/** Checks a flavor; that its sizes are above 0 is the schema's rule. */
export function checkFlavor(flavor: Flavor, issues: Issues): void {
  checkName(issues, "key.name", flavor.key.name);
  for (const [name, value] of Object.entries(flavor.optResMap)) checkResource(issues, name, value);
}

/** Checks the further resources of a new flavor: only a GPU may be there from the start (specification 3.7). */
export function checkNewResources(flavor: Flavor, issues: Issues): void {
  for (const name of Object.keys(flavor.optResMap)) {
    issues.check(name === "gpu" || !isOptional(name), `opt_res_map.${name}`, undefined, "may be added later only");
  }
}

function checkResource(issues: Issues, name: string, value: string): void {
  const path = `opt_res_map.${name}`;
  issues.check(isOptional(name), path, undefined, `must be one of ${OPTIONAL_RESOURCES.join(", ")}`);
  const parts = value.split(":");
  const sound = (parts.length === 2 || parts.length === 3) && parts.every((part) => part !== "") &&
    /^[1-9]\d{0,5}$/.test(parts.at(-1)!);
  issues.check(sound, path, value, "must be KIND:COUNT or KIND:SPECIFICATION:COUNT, e.g. gpu:1 or vgpu:nvidia-63:2");
}

function isOptional(name: string): boolean {
  return (OPTIONAL_RESOURCES as readonly string[]).includes(name);
}
