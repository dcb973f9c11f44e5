import { RpcError, Status } from "../../../../shared/rpc/mod.ts";

/** The request itself is at fault. */
export function invalid(message: string): RpcError {
  return new RpcError(Status.INVALID_ARGUMENT, message);
}

/** The cookie, or what it stands for, is not to be trusted. */
export function unauthenticated(message: string): RpcError {
  return new RpcError(Status.UNAUTHENTICATED, message);
}

/** The caller may not do this. */
export function denied(message: string): RpcError {
  return new RpcError(Status.PERMISSION_DENIED, message);
}
