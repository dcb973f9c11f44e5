/** Time to live of the lease that shows that this controller is alive, in milliseconds (specification 6.4). */
export const CONTROLLER_LEASE_TTL_MS = 5000;

/** Pause before a lost lease is granted anew, in milliseconds: seconds, not minutes, so that little is believed lost. */
export const LEASE_RETRY_MS = 1000;

/** Lines of progress that one operation keeps for its readers; older ones are dropped. */
export const MAX_PROGRESS_LINES = 1000;

/** Longest line of progress, in characters. */
export const MAX_PROGRESS_LINE_CHARACTERS = 2000;

/** Most errors kept on an object, and the longest of them in characters: a site may not fill the store. */
export const MAX_OBJECT_ERRORS = 20;
export const MAX_OBJECT_ERROR_CHARACTERS = 2000;

/** Tries for a free identifier or DNS label: the plain one, then 1 to 9 (specification 4.10). */
export const NAME_TRIES = 10;

/** First and longest pause before a site's report that could not be stored is tried again, in milliseconds. */
export const REPORT_RETRY_MIN_MS = 200;
export const REPORT_RETRY_MAX_MS = 5000;

/** Most characters of an operation's progress that are stored for readers elsewhere; older lines are dropped. */
export const MAX_STORED_PROGRESS_CHARACTERS = 65_536;

/** Shortest pause between two writings of an operation's progress, in milliseconds. */
export const PROGRESS_PAUSE_MS = 500;

/** Time for which the progress of an operation stays after its end, in milliseconds; of a failed one as long as its object. */
export const PROGRESS_KEPT_MS = 3_600_000;

/** Pause between two looks for progress that has been kept long enough, in milliseconds. */
export const PROGRESS_SWEEP_MS = 600_000;

/** Time after which progress ends for a reader whose operation is gone without saying how, in milliseconds. */
export const PROGRESS_LOST_MS = 5000;

/** First and longest pause before an operation that the store broke off is carried on, in milliseconds. */
export const CARRY_ON_MIN_MS = 200;
export const CARRY_ON_MAX_MS = 10_000;

/** Pause between two probes of the store, in milliseconds. */
export const STORE_PROBE_MS = 5000;

/** Pause between two looks for operations that nobody runs, in milliseconds. */
export const TAKE_OVER_PAUSE_MS = 10_000;
