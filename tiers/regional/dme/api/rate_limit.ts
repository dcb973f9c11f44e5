import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { RateLimitError } from "../../../../shared/ratelimit/mod.ts";
import type { ProvenSession } from "../cookies/mod.ts";
import type { Caller, Desk } from "./desk.ts";

/**
 * Holds a call to the rate limits.
 *
 * @param api name of the method
 * @param session the caller's, where it is known already
 * @returns undefined when it may go on at once, else a promise of its turn
 * @throws {RpcError} RESOURCE_EXHAUSTED when it is refused.
 */
export function admit(desk: Desk, api: string, caller: Caller, session?: ProvenSession): Promise<void> | undefined {
  try {
    return desk.limits?.admit({ api, address: caller.address, user: session?.device });
  } catch (error) {
    throw refusal(error);
  }
}

/** The same by the limits for each device alone, once the call has shown whose it is. */
export function admitUser(desk: Desk, api: string, caller: Caller, session: ProvenSession): Promise<void> | undefined {
  try {
    return desk.limits?.admitUser({ api, address: caller.address, user: session.device });
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(error: unknown): unknown {
  return error instanceof RateLimitError ? new RpcError(Status.RESOURCE_EXHAUSTED, error.message) : error;
}
