import { enumText, PlatformType } from "../../../../shared/schema/mod.ts";

/** The platforms that there are plugins for. */
export const SUPPORTED = [
  { platform: PlatformType.PLATFORM_TYPE_PROCESS },
  { platform: PlatformType.PLATFORM_TYPE_DOCKER },
] as const;

/** Names of the supported platforms, for messages. */
export const PLATFORMS_TEXT = SUPPORTED.map((supported) => enumText(PlatformType, supported.platform)).join(", ");
