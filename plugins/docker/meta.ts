import { dockerPlugin } from "../../shared/platform_types/mod.ts";

/** What never changes about the platform, and the names of its variables; the controller tells them, too. */
export const { ENGINE, META, RESTART_DELAY, START_TIMEOUT } = dockerPlugin;
