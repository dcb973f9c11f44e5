import type { OperatorMeta } from "../../shared/operator/mod.ts";

/** What the plugin says of itself. */
export const meta: OperatorMeta = {
  name: "location-api",
  description: "an operator with a location API, quality predictions by gRPC and a REST API for priority sessions",
  settings: [
    { name: "verify-url", doc: "URL that a claimed place is posted to" },
    { name: "qos-position-addr", doc: "host:port of the queryqos service, reached with the engine's certificate" },
    { name: "qos-session-addr", doc: "URL of the priority sessions, without /5g-latency/sessions/" },
    { name: "timeout-ms", doc: "longest wait for any answer, default 5000" },
  ],
};

/** Secrets that it reads. */
export const SECRETS = {
  /** Basic log-in at the verify URL, as `user:password`. */
  location: "location-api",
  /** Value of the Authorization header of priority sessions. */
  sessions: "qos-sessions",
} as const;

/** Longest wait for an answer unless the settings say another, milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5000;
