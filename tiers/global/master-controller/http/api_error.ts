/** A refused call: what the caller is told, and the HTTP status that goes with it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** 400: the request breaks a rule that the message names. */
export function badRequest(message: string): ApiError {
  return new ApiError(400, message);
}

/** 403 without a reason, so that nobody learns what exists (mc spec 1.1). */
export function forbidden(): ApiError {
  return new ApiError(403, "Forbidden");
}

/** The body of a refusal: the message with a capital first letter. */
export function errorBody(message: string): { message: string } {
  return { message: message.charAt(0).toUpperCase() + message.slice(1) };
}
