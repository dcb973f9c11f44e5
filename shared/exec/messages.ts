/** Type of the message by which a site is asked for something that the relay for shells gives, and of its answer. */
export const EXEC_REQUEST = "ExecRequest";
/** Type of the message by which a site is to begin with output. */
export const EXEC_START = "ExecStart";
/** Type of the message that says how far a site may go on. */
export const EXEC_FLOW = "ExecFlow";
/** Type of the messages in which a site sends output. */
export const EXEC_REPORT = "ExecReport";

/** Output of one request that is on its way or waits for its reader, bytes. The site sends no more than that. */
export const WINDOW_BYTES = 128 * 1024;
/** Largest piece of output in one message, bytes. */
export const PIECE_BYTES = 32 * 1024;
/** How often a site is told that somebody still wants output, ms. */
export const ALIVE_INTERVAL_MS = 10_000;
/** Without a word for so long a site takes it that nobody wants the output any more, ms. */
export const ABANDONED_AFTER_MS = 35_000;
/** Time in which a site must answer (controller specification 2.5), ms. */
export const ANSWER_MS = 60_000;
/** Outputs that one site gives at once. With their windows they stay within what waits for a controller on the stream. */
export const MAX_OF_SITE = 32;
/** Requests that one controller waits for at once. */
export const MAX_OF_CONTROLLER = 256;
