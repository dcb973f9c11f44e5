/** A PostgreSQL that needs no installation, from npm's platform packages. */
export { EmbeddedPostgresError, type EmbeddedPostgresFault } from "./errors.ts";
export type { ExitStatus } from "./server.ts";
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from "./start.ts";
