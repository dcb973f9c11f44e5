/**
 * Why a store refused or failed:
 * - `url`: the store's URL does not parse;
 * - `open`: the file cannot be opened (missing folder, no permission, damaged);
 * - `locked`: another process has the file;
 * - `foreign`: the file is not a store of ours;
 * - `newer`: the file was written by a later version;
 * - `full`: no space left on the disk or in the database quota; nothing was written;
 * - `invalid`: an argument breaks a rule; nothing was written;
 * - `compacted`: the revision is no longer kept (always a {@linkcode CompactedError});
 * - `future`: the revision does not exist yet;
 * - `lease`: the lease has expired or never was;
 * - `conflict`: a transaction met other writers until its attempts or its time ran out; nothing was written;
 * - `unavailable`: the database does not answer. A write that ends so may or may not have happened;
 * - `closed`: the store was closed.
 */
export type StoreErrorReason =
  | "url"
  | "open"
  | "locked"
  | "foreign"
  | "newer"
  | "full"
  | "invalid"
  | "compacted"
  | "future"
  | "lease"
  | "conflict"
  | "unavailable"
  | "closed";

/** The one error type of the store. The message is fit for an operator; `cause` holds what the database said. */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
  readonly reason: StoreErrorReason;

  constructor(reason: StoreErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** A read or a watch asked for a revision that compaction has removed; the reader must list everything anew. */
export class CompactedError extends StoreError {
  override readonly name = "CompactedError";
  /** The newest revision whose history is gone, or undefined where the database does not tell. */
  readonly compactRevision: number | undefined;

  constructor(revision: number, compactRevision: number | undefined, options?: ErrorOptions) {
    const upTo = compactRevision === undefined ? "" : `; history up to ${compactRevision} is gone`;
    super("compacted", `Revision ${revision} has been compacted${upTo}`, options);
    this.compactRevision = compactRevision;
  }
}
