/**
 * Kind of a failure:
 * - NotFound: something that the operation needs does not exist (an image, a cluster)
 * - Quota: the site has not enough of something
 * - Invalid: the specification or a variable breaks a rule; trying again cannot help
 * - Conflict: something else holds what is needed (a port)
 * - Transient: may succeed when tried again (the engine cannot be reached, time is over)
 * - Inconsistent: the infrastructure is not in the state that it must be in
 */
export type PlatformFault = "NotFound" | "Quota" | "Invalid" | "Conflict" | "Transient" | "Inconsistent";

/** A failure of the infrastructure, with a message for the user that holds no secrets. */
export class PlatformError extends Error {
  override readonly name = "PlatformError";
  readonly fault: PlatformFault;

  constructor(fault: PlatformFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }

  /** Any thrown value as a PlatformError: those pass through, others become Inconsistent with their message. */
  static from(error: unknown): PlatformError {
    if (error instanceof PlatformError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new PlatformError("Inconsistent", message, { cause: error });
  }
}
