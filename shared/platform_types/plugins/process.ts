import type { PlatformMeta } from "../../platform/mod.ts";

/** Variable: pause before a dead app is first started again, in milliseconds. */
export const RESTART_DELAY = "PROCESS_RESTART_DELAY_MS";
/** Variable: how long an app may take to open its ports. */
export const START_TIMEOUT = "PROCESS_START_TIMEOUT_MS";

/** What never changes about the platform. */
export const META: PlatformMeta = {
  type: "process",
  description: "Sandboxed JavaScript and TypeScript modules as processes of the site's machine",
  deployments: ["process"],
  cloudletServicesLocal: true,
  properties: [
    {
      name: RESTART_DELAY,
      description:
        "pause before a dead app is first started again, 100 to 60000 milliseconds; it doubles up to a minute",
      default: "2000",
      pattern: /^(?:[1-9][0-9]{2,3}|[1-5][0-9]{4}|60000)$/,
    },
    {
      name: START_TIMEOUT,
      description: "longest time that an app may take to open its ports, 1000 to 600000 milliseconds",
      default: "60000",
      pattern: /^(?:[1-9][0-9]{3,4}|[1-5][0-9]{5}|600000)$/,
    },
  ],
  accessVariables: [],
  quotaResources: [],
};
