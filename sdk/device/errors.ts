/** Names of the gRPC status codes, by number. The REST form answers with the numbers. */
const STATUS_NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** Why a call failed, as the matching engine names it. */
export type StatusName = typeof STATUS_NAMES[number];

/** A call that failed: refused by the matching engine, or never answered by it. */
export class MatchError extends Error {
  override readonly name = "MatchError";
  readonly code: StatusName;
  /** Whether the matching engine said so itself; false when it could not be reached or understood. */
  readonly answered: boolean;

  constructor(code: StatusName, message: string, options: ErrorOptions & { answered?: boolean } = {}) {
    super(message, options);
    this.code = code;
    this.answered = options.answered ?? false;
  }
}

/** The error that a body, message or event of the REST form holds; undefined when it holds none. */
export function errorIn(json: Record<string, unknown>): MatchError | undefined {
  const { code, grpc_code, message } = json;
  const number = typeof code === "number" ? code : grpc_code;
  if (typeof number !== "number") return undefined;
  return statusError(number, typeof message === "string" ? message : "");
}

/** An error that the matching engine sent, by its number. */
export function statusError(number: number, message: string): MatchError {
  const code = STATUS_NAMES[number] ?? "UNKNOWN";
  return new MatchError(code, message === "" ? code : message, { answered: true });
}

/** The innermost reason of a failed fetch, which is the one that says something. */
export function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner instanceof Error ? inner.message : String(inner);
}
