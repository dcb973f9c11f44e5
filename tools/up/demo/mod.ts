/** The small world of `up --demo`. @module */
export { largestCities } from "./cities.ts";
export { appsAt, createDemo, type DemoOptions, PORTS_PER_SITE } from "./create.ts";
export { openSessions, RefusedError, type Session, type Sessions } from "./session.ts";
export { type DemoApp, type DemoDeveloper, type DemoOperator, type DemoWorld, demoWorld } from "./world.ts";
