/**
 * What every process has in common: typed configuration, an admin server with health and metrics, an orderly start
 * and an orderly end.
 *
 * @module
 */
export type { Address } from "./address.ts";
export { formatAddress, parseAddress } from "./address.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export type { ConfigOf, OptionKind, OptionSpec, OptionSpecs } from "./options.ts";
export { defineOptions, environmentNameOf, flagNameOf } from "./options.ts";
export type { ConfigIssue, ConfigSource } from "./config_error.ts";
export { ConfigError } from "./config_error.ts";
export { nearest } from "./nearest.ts";
export type { ConfigInputs } from "./config.ts";
export { parseConfig } from "./config.ts";
export { helpText } from "./help.ts";
export { printableConfig } from "./print_config.ts";
export type { CommonConfig } from "./common_options.ts";
export { commonOptions } from "./common_options.ts";
export { createDebugCommands, type DebugCommands, type DebugRun } from "./debug_commands.ts";
export type { ServiceContext, ServiceDefinition } from "./context.ts";
export type { RunningService, StartOptions } from "./start.ts";
export { startService } from "./start.ts";
export { runService } from "./run.ts";
