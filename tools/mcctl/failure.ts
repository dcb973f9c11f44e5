/** A command that was not understood. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** What to do next, one line. */
  readonly next?: string;

  constructor(message: string, next?: string) {
    super(message);
    this.next = next;
  }
}

/** A call that the master controller refused, or that did not reach it. */
export class CallError extends Error {
  override readonly name = "CallError";
  /** HTTP status; 0 when there was no reply. */
  readonly status: number;
  readonly statusText: string;

  constructor(status: number, statusText: string, message: string) {
    super(message);
    this.status = status;
    this.statusText = statusText;
  }
}

/** Text of a failure for people, and the next step where one is known. */
export function failureText(error: UsageError | CallError, group: string | undefined): string {
  if (error instanceof UsageError) return withNext(`Error: ${error.message}`, error.next);
  const what = error.status === 0
    ? `Error: ${error.message}`
    : `Error: ${error.statusText} (${error.status}), ${error.message}`;
  return withNext(what, nextStep(error, group));
}

function withNext(text: string, next: string | undefined): string {
  return next === undefined ? text : `${text}\n${next}`;
}

const LOG_IN = "Log in first: mcctl login name=<user>";

function nextStep(error: CallError, group: string | undefined): string | undefined {
  const message = error.message.toLowerCase();
  if (error.status === 0) return unreachableStep(message);
  if (/no bearer token|expired jwt|token is expired|expired token/.test(message)) return LOG_IN;
  if (error.status === 511) return "Give the code that was sent to you: mcctl login name=<user> totp=<code>";
  if (message.includes("no region specified") || /region ".*" not found/.test(message)) {
    return "Name a region with region=<name>; these exist: mcctl controller show";
  }
  if (error.status === 403) {
    return "Your roles: mcctl role assignment. Somebody with the role of a manager can add one: mcctl role add";
  }
  if (error.status === 404) return "The master controller does not know this call; is it of the same version?";
  if (error.status === 429) return "Try again a little later.";
  const own = group === undefined ? undefined : `These exist: mcctl ${group} show`;
  if (message.includes("already exists")) return own;
  const missing = /(\w+) key \{.*\} not found/.exec(message);
  if (missing !== null) return `These exist: mcctl ${missing[1]} show`;
  return undefined;
}

function unreachableStep(message: string): string | undefined {
  if (/certificate|issuer|self.signed/.test(message)) {
    return "Trust its certificate authority with --ca <file>, or name the platform's file with --up <folder>/up.json.";
  }
  if (/refused|not reach/.test(message)) {
    return "Is the platform running? Start it with: deno task up. Another address: --addr <url>";
  }
  return undefined;
}
