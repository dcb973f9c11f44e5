import type { PlatformMeta } from "../../platform/mod.ts";

/** Variable: where the engine listens. */
export const ENGINE = "DOCKER_HOST";
/** Variable: pause before a stopped container is started again, in milliseconds. */
export const RESTART_DELAY = "DOCKER_RESTART_DELAY_MS";
/** Variable: how long an app may take to open its ports. */
export const START_TIMEOUT = "DOCKER_START_TIMEOUT_MS";

/** What never changes about the platform. */
export const META: PlatformMeta = {
  type: "docker",
  description: "Containers of a Docker Engine, in one network per cluster",
  deployments: ["docker"],
  cloudletServicesLocal: true,
  properties: [
    {
      name: ENGINE,
      description: "where the Docker Engine listens: unix:///path/of/socket or tcp://host:port",
      default: "unix:///var/run/docker.sock",
      pattern: /^(?:unix:\/\/\/.+|tcp:\/\/[^/:]+:[0-9]+)$/,
    },
    {
      name: RESTART_DELAY,
      description:
        "pause before a stopped container is first started again, 100 to 60000 milliseconds; it doubles up to a minute",
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
  quotaResources: [{ name: "vcpus", description: "CPUs of the engine's machine" }],
};
