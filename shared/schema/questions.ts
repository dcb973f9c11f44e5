/** Message types of the questions that a controller asks the matching engines of its region by notify. */

/** `AppInstLatency`, answered with `AppInstLatencyAsked`. */
export const LATENCY_QUESTION = "dme.latency";

/** `MatchQuery`, answered with `MatchExplanation`. */
export const EXPLAIN_QUESTION = "dme.explain";
