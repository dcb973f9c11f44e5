import type { PlatformMeta, PropertyInfo } from "../platform/mod.ts";
import { PlatformType } from "../schema/mod.ts";
import { META as DOCKER } from "./plugins/docker.ts";
import { META as FAKE } from "./plugins/fake.ts";
import { META as PROCESS } from "./plugins/process.ts";

/** A variable that the platform reads beside its plugin. */
const PUBLIC_PORTS: PropertyInfo = {
  name: "PUBLIC_PORT_RANGE",
  description: "ports that the site's load balancer may give away, e.g. 21000-21099; for sites that share a machine",
};

/** Variable: where the world reaches what shares the site's load balancer. */
export const PUBLIC_ADDRESS_VARIABLE = "PUBLIC_ADDRESS";

const ADDRESS: PropertyInfo = {
  name: PUBLIC_ADDRESS_VARIABLE,
  description:
    "address or host name by which the world reaches the site's load balancer; default: as its platform says",
  pattern: /^[0-9a-z](?:[0-9a-z:._-]{0,251}[0-9a-z])?$/,
};

const METAS: ReadonlyMap<PlatformType, PlatformMeta> = new Map([
  [PlatformType.PLATFORM_TYPE_PROCESS, PROCESS],
  [PlatformType.PLATFORM_TYPE_DOCKER, DOCKER],
  [PlatformType.PLATFORM_TYPE_FAKE, FAKE],
  [PlatformType.PLATFORM_TYPE_FAKEINFRA, FAKE],
  [PlatformType.PLATFORM_TYPE_FAKE_SINGLE_CLUSTER, FAKE],
  [PlatformType.PLATFORM_TYPE_FAKE_VM_POOL, FAKE],
]);

/** Platform types for which there is a plugin. */
export const PLUGIN_PLATFORMS: readonly PlatformType[] = [...METAS.keys()];

/** Variables that cloudlets of a platform type understand; those of `accessVariables` are credentials. */
export function platformProperties(type: PlatformType): readonly PropertyInfo[] {
  const meta = METAS.get(type);
  if (meta === undefined) return [];
  const credentials = meta.accessVariables.map((variable) => ({ ...variable, secret: true }));
  return [...meta.properties, ...credentials, PUBLIC_PORTS, ADDRESS];
}
