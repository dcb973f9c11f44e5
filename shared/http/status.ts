/** HTTP status by gRPC code 0..16, as gRPC gateways map them (DME specification 2.4). */
const HTTP_STATUS = [200, 408, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401] as const;

/** HTTP status that stands for a gRPC code; 500 for unknown ones. */
export function httpStatusOf(grpcCode: number): number {
  return HTTP_STATUS[grpcCode] ?? 500;
}

const TEXTS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  409: "Conflict",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** The standard's words for the statuses of {@link httpStatusOf}; "" for others. */
export function httpStatusText(status: number): string {
  return TEXTS[status] ?? "";
}
