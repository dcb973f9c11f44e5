/** Status codes of gRPC, by their standard names (gRPC status codes page). */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** One of the 17 gRPC status codes. */
export type Status = typeof Status[keyof typeof Status];

const NAMES: readonly string[] = Object.keys(Status);

/** Name of a status code, e.g. `NOT_FOUND`; the number in words when it is none of the standard ones. */
export function statusName(code: number): string {
  return NAMES[code] ?? `code ${code}`;
}

/** Reads a status code from the wire; what is not a standard code counts as UNKNOWN. */
export function toStatus(code: number): Status {
  return Number.isInteger(code) && code >= 0 && code < NAMES.length ? code as Status : Status.UNKNOWN;
}
