import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { RateLimitError } from "../../../../shared/ratelimit/mod.ts";
import type { Caller, Desk } from "./desk.ts";

/**
 * Holds a call to the rate limits.
 *
 * @param api name of the method
 * @returns undefined when it may go on at once, else a promise of its turn
 * @throws {RpcError} RESOURCE_EXHAUSTED when it is refused.
 */
export function admit(desk: Desk, api: string, caller: Caller): Promise<void> | undefined {
  try {
    return desk.limits?.admit({ api, address: caller.address });
  } catch (error) {
    if (error instanceof RateLimitError) throw new RpcError(Status.RESOURCE_EXHAUSTED, error.message);
    throw error;
  }
}
