/** HTTP status by gRPC code 0..16, as gRPC gateways map them (DME specification 2.4). */
const HTTP_STATUS = [200, 408, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401] as const;

/** HTTP status that stands for a gRPC code; 500 for unknown ones. */
export function httpStatusOf(grpcCode: number): number {
  return HTTP_STATUS[grpcCode] ?? 500;
}
