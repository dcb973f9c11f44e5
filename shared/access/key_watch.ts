import { RpcError, Status } from "../rpc/mod.ts";
import type { Clock, Timer } from "../runtime/mod.ts";
import type { AccessClient } from "./client.ts";

/** Pause between two looks at a key that is refused, ms (specification 7.3). */
const AGAIN_MS = 1000;
/** Looks at a key that has been good; each refusal takes the region three seconds. */
const LATER_TRIES = 3;

/**
 * Asks the region whether a key is good. One that is refused may be in the middle of an exchange by another service of the
 * cloudlet, so it is asked again.
 *
 * @param tries 1 and up, a second apart
 * @throws {RpcError} UNAUTHENTICATED or FAILED_PRECONDITION When it is refused each time; others of the connection.
 */
export async function verifyKey(
  client: Pick<AccessClient, "verify">,
  { tries, clock }: { readonly tries: number; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await client.verify();
    } catch (error) {
      if (!isRefusal(error) || attempt >= tries) throw error;
      await clock.sleep(AGAIN_MS, signal);
    }
  }
}

/** How a key is watched. */
export interface KeyWatchOptions {
  readonly client: Pick<AccessClient, "verify">;
  readonly clock: Clock;
  /** Pause between two looks, ms. */
  readonly intervalMs: number;
  /** Called once, with the refusal. That the region does not answer is none. */
  onRefused(error: RpcError): void;
}

/** Looks from time to time whether a key is still good, and tells when it was taken away. Returns what ends that. */
export function watchAccessKey({ client, clock, intervalMs, onRefused }: KeyWatchOptions): () => void {
  const stop = new AbortController();
  let timer: Timer;
  const look = async () => {
    try {
      await verifyKey(client, { tries: LATER_TRIES, clock }, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) return;
      if (isRefusal(error)) return onRefused(error);
    }
    if (!stop.signal.aborted) timer = clock.setTimer(() => void look(), intervalMs);
  };
  timer = clock.setTimer(() => void look(), intervalMs);
  return () => {
    stop.abort();
    timer.cancel();
  };
}

function isRefusal(error: unknown): error is RpcError {
  return error instanceof RpcError &&
    (error.code === Status.UNAUTHENTICATED || error.code === Status.FAILED_PRECONDITION);
}
