import { services } from "./generated/registry.ts";
import type { ServiceDefinition } from "./service.ts";

/** Services of the region's API: those with calls that the master controller offers or knows of. */
export const regionServices: readonly ServiceDefinition[] = services.filter((service) =>
  Object.values(service.methods).some((method) => method.api !== undefined)
);
