import { enumText, PlatformType } from "../../../../shared/schema/mod.ts";

/** What can be deployed, and the platforms on which it runs. */
export const SUPPORTED = [
  { deployment: "process", platform: PlatformType.PLATFORM_TYPE_PROCESS, needsCluster: false },
  { deployment: "docker", platform: PlatformType.PLATFORM_TYPE_DOCKER, needsCluster: true },
] as const;

/** One way to deploy. */
export type Deployment = typeof SUPPORTED[number];

/** The deployment of a name, undefined when it has no platform (yet). */
export function deploymentOf(name: string): Deployment | undefined {
  return SUPPORTED.find((supported) => supported.deployment === name);
}

/** Names of the supported deployments, for messages. */
export const DEPLOYMENTS_TEXT = SUPPORTED.map((supported) => supported.deployment).join(", ");

/** Names of the supported platforms, for messages. */
export const PLATFORMS_TEXT = SUPPORTED.map((supported) => enumText(PlatformType, supported.platform)).join(", ");
