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
