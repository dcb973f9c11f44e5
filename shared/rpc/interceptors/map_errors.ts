import type { CallContext, ServerInterceptor } from "../context.ts";
import { RpcError } from "../error.ts";

/** Gives errors of other parts the status that fits. What `map` leaves undefined is treated as before. */
export function mapErrors(map: (error: unknown, context: CallContext) => RpcError | undefined): ServerInterceptor {
  return async (context, next) => {
    try {
      await next();
    } catch (thrown) {
      const error = thrown instanceof RpcError && thrown.cause !== undefined ? thrown.cause : thrown;
      throw map(error, context) ?? thrown;
    }
  };
}
