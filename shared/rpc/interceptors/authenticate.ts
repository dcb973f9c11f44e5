import type { CallContext, Peer, ServerInterceptor } from "../context.ts";
import { RpcError } from "../error.ts";
import { Status } from "../status.ts";

/**
 * Finds out who calls. What `verify` returns becomes `context.peer.identity`; an RpcError that it throws refuses the
 * call as it is, any other error with UNAUTHENTICATED.
 */
export function authenticate(verify: (peer: Peer, context: CallContext) => unknown): ServerInterceptor {
  return async (context, next) => {
    try {
      context.peer.identity = await verify(context.peer, context);
    } catch (cause) {
      if (cause instanceof RpcError) throw cause;
      throw new RpcError(Status.UNAUTHENTICATED, "The caller's identity is not accepted", { cause });
    }
    await next();
  };
}
