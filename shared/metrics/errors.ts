/**
 * Why the metrics store refused or failed:
 * - `url`: its URL does not parse;
 * - `open`: the file cannot be opened, or belongs to somebody else;
 * - `invalid`: a name or an argument breaks a rule;
 * - `unavailable`: the database does not answer;
 * - `refused`: the database answered that it will not;
 * - `closed`: the store was closed.
 */
export type MetricsErrorReason = "url" | "open" | "invalid" | "unavailable" | "refused" | "closed";

/** The one error type of the metrics store. The message is fit for an operator. */
export class MetricsError extends Error {
  override readonly name = "MetricsError";
  readonly reason: MetricsErrorReason;

  constructor(reason: MetricsErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
