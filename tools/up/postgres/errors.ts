/** Why the embedded PostgreSQL could not be started. */
export type EmbeddedPostgresFault =
  | "unsupported_platform"
  | "no_unprivileged_account"
  | "unreachable_directory"
  | "port_taken"
  | "other_major_version"
  | "already_running"
  | "initialisation_failed"
  | "start_failed";

/** A failure to start or stop the embedded PostgreSQL, with a message meant for the person at the terminal. */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
  readonly fault: EmbeddedPostgresFault;

  constructor(fault: EmbeddedPostgresFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
