import { X509Certificate } from "node:crypto";
import type { NotifyClock } from "./ports.ts";

/** Longest timer that runtimes keep; a later time is waited for in steps, ms. */
const MAX_TIMER_MS = 2 ** 30;

/**
 * Calls `expired` when the certificate (DER) is no longer valid: TLS looks at it only when a connection begins, and
 * these connections last. Returns what ends the wait.
 */
export function whenExpired(certificate: Uint8Array, clock: NotifyClock, expired: () => void): () => void {
  const end = Date.parse(new X509Certificate(certificate).validTo);
  let cancel = (): void => {};
  function wait(): void {
    const left = end - clock.now();
    if (left <= 0) return expired();
    cancel = clock.after(Math.min(left, MAX_TIMER_MS), wait);
  }
  wait();
  return () => cancel();
}
