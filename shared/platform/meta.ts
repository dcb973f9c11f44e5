import { PlatformError } from "./errors.ts";
import type { CloudletPlatform } from "./platform.ts";

/** A variable that the operator may set for a cloudlet of this type. */
export interface PropertyInfo {
  readonly name: string;
  readonly description: string;
  readonly default?: string;
  /** Must be set when the cloudlet is created. */
  readonly mandatory?: boolean;
  /** Never shown or logged. */
  readonly secret?: boolean;
  /** Form of a valid value. */
  readonly pattern?: RegExp;
}

/** What never changes about a plugin. */
export interface PlatformMeta {
  /** Name of the platform type without its prefix, lower case, e.g. "process" for PLATFORM_TYPE_PROCESS. */
  readonly type: string;
  readonly description: string;
  /** Deployments of apps that it runs. */
  readonly deployments: readonly string[];
  /** The platform's own flags; those that follow from its members are in {@linkcode featuresOf}. */
  readonly cloudletServicesLocal: boolean;
  readonly properties: readonly PropertyInfo[];
  /** Credentials that the site needs, by name. */
  readonly accessVariables: readonly PropertyInfo[];
  /** Resources that quotas may name. */
  readonly quotaResources: readonly { readonly name: string; readonly description: string }[];
}

/** Flags by which the rest of the platform decides what a site can do. */
export interface PlatformFeatures {
  readonly supportsClusters: boolean;
  readonly supportsClusterUpdate: boolean;
  readonly supportsAppUpdate: boolean;
  readonly supportsPower: boolean;
  readonly supportsTrustPolicy: boolean;
  readonly reportsResources: boolean;
  readonly cloudletServicesLocal: boolean;
}

/** Features, taken from the members that a platform has, so that a flag and the code cannot disagree. */
export function featuresOf(platform: CloudletPlatform): PlatformFeatures {
  return {
    supportsClusters: platform.clusters !== undefined,
    supportsClusterUpdate: platform.clusters?.update !== undefined,
    supportsAppUpdate: platform.apps.update !== undefined,
    supportsPower: platform.apps.setPower !== undefined,
    supportsTrustPolicy: platform.setTrustPolicy !== undefined,
    reportsResources: platform.resources !== undefined,
    cloudletServicesLocal: platform.meta.cloudletServicesLocal,
  };
}

/**
 * Value of a property: the cloudlet's variable, else the default. Throws {@linkcode PlatformError} (Invalid) when a
 * mandatory one is missing or a value has the wrong form; secret values are not shown.
 */
export function propertyValue(
  meta: PlatformMeta,
  variables: Readonly<Record<string, string>>,
  name: string,
): string | undefined {
  const info = [...meta.properties, ...meta.accessVariables].find((property) => property.name === name);
  if (!info) throw new Error(`Platform ${meta.type} declares no property ${name}`);
  const value = variables[name] ?? info.default;
  if (value === undefined && info.mandatory) {
    throw new PlatformError("Invalid", `Variable ${name} of the cloudlet is not set: ${info.description}`);
  }
  if (value !== undefined && info.pattern && !info.pattern.test(value)) {
    const shown = info.secret ? "its value" : `"${value}"`;
    throw new PlatformError(
      "Invalid",
      `Variable ${name} of the cloudlet: ${shown} has the wrong form: ${info.description}`,
    );
  }
  return value;
}
