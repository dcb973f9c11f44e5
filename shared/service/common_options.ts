import { logLevels } from "../telemetry/mod.ts";
import { type ConfigOf, defineOptions } from "./options.ts";

/** Options that every service has. */
export const commonOptions = defineOptions({
  adminAddr: {
    kind: "address",
    default: "127.0.0.1:0",
    description:
      "Where health (/healthz, /readyz) and metrics (/metrics) are served, in plain HTTP. Port 0 takes a free one; the ready line tells it.",
  },
  logLevel: { kind: "enum", values: logLevels, default: "info", description: "The least grave log lines to write." },
  logFormat: {
    kind: "enum",
    values: ["auto", "json", "text"],
    default: "auto",
    description: "One JSON object a line, or columns for people; auto takes text on a terminal.",
  },
  config: { kind: "path", description: "A YAML file with values for the options." },
  grace: {
    kind: "duration",
    default: "10s",
    maxMs: 3_600_000,
    description: "How long running work may take to end after SIGTERM before it is cut.",
  },
  watchParent: {
    kind: "bool",
    default: false,
    description:
      "Drain and end when standard input closes, so that the process never outlives the one that started it.",
  },
  printConfig: {
    kind: "bool",
    default: false,
    description: "Print the configuration in force, secrets hidden, and end.",
  },
  help: { kind: "bool", default: false, description: "Print this page and end." },
  version: { kind: "bool", default: false, description: "Print the version and end." },
});

/** Their values. */
export type CommonConfig = ConfigOf<typeof commonOptions>;
