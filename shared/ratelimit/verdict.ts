/** Why a call is refused: it came too fast, or there were too many; and when another may be let in, if it is known. */
export interface Refused {
  readonly exceeded: "rate" | "count";
  /** Time until another call may pass, ms. */
  readonly retryAfterMs: number;
  /** What was exceeded, e.g. `5 requests per second`. */
  readonly limit: string;
}

/** What a limiter says to one call: it may go on, after a delay of so many milliseconds, or it is refused. */
export type Verdict = number | Refused;

/** One limit. Its time is that of a clock that never goes back. */
export interface Limiter {
  /**
   * Asks for one call.
   *
   * @param nowMs the present, ms from any origin
   * @param patienceMs how long the caller would wait at most
   */
  take(nowMs: number, patienceMs: number): Verdict;
}
