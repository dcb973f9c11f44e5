import type { CreatePlatform } from "../../../shared/platform/mod.ts";
import { enumText, PlatformType } from "../../../shared/schema/mod.ts";

/** Loads the plugin of a platform type; only the one that a site needs is ever loaded. */
export type PlatformTable = Readonly<Partial<Record<number, () => Promise<CreatePlatform>>>>;

const fake = async () => (await import("../../../plugins/fake/mod.ts")).default;

/**
 * The plugins that are built in. Each is loaded when a site names it; literal names, so that bundles and compiled
 * executables include them.
 */
export const builtInPlatforms: PlatformTable = {
  [PlatformType.PLATFORM_TYPE_FAKE]: fake,
  [PlatformType.PLATFORM_TYPE_FAKEINFRA]: fake,
  [PlatformType.PLATFORM_TYPE_FAKE_SINGLE_CLUSTER]: fake,
  [PlatformType.PLATFORM_TYPE_FAKE_VM_POOL]: fake,
  [PlatformType.PLATFORM_TYPE_PROCESS]: async () => (await import("../../../plugins/process/mod.ts")).default,
  [PlatformType.PLATFORM_TYPE_DOCKER]: async () => (await import("../../../plugins/docker/mod.ts")).default,
};

/** Loads the plugin of a type. Throws when there is none, naming those that there are. */
export async function loadPlatform(table: PlatformTable, type: number): Promise<CreatePlatform> {
  const load = table[type];
  if (load) return await load();
  const known = Object.keys(table).map((number) => enumText(PlatformType, Number(number) as PlatformType)).join(", ");
  throw new Error(
    `Platform type ${
      enumText(PlatformType, type as PlatformType)
    } has no plugin in this resource manager; there are ${known}`,
  );
}
