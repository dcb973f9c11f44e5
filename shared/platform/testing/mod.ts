/** The suite that every infrastructure plugin passes, and helpers for tests around plugins. */
export { type ConformanceCase, platformConformance, type PlatformUnderTest } from "./conformance.ts";
export { freePort, operation, platformContext, until } from "./helpers.ts";
