import { redactText } from "./redact.ts";

/** How an error appears in a log line. */
export interface ErrorFields {
  /** The message and those of its causes, joined by ": ". */
  readonly error: string;
  readonly error_name?: string;
  readonly error_code?: string | number;
  /** Where it was thrown. Loggers write it at debug level only. */
  readonly stack?: string;
  [name: string]: unknown;
}

/** Causes followed; deeper chains are cut. */
const MAX_CAUSES = 5;

/** Describes whatever was thrown, without secrets. */
export function errorFields(thrown: unknown): ErrorFields {
  if (!(thrown instanceof Error)) return { error: redactText(String(thrown)) };
  const messages: string[] = [];
  let at: unknown = thrown;
  for (let depth = 0; at instanceof Error && depth < MAX_CAUSES; depth++) {
    // A wrapper often repeats its cause's words.
    if (!messages.some((message) => message.includes((at as Error).message))) messages.push(at.message);
    at = at.cause;
  }
  const code = (thrown as { code?: unknown }).code;
  return {
    error: redactText(messages.join(": ")),
    ...(thrown.name === "Error" ? {} : { error_name: thrown.name }),
    ...(typeof code === "string" || typeof code === "number" ? { error_code: code } : {}),
    ...(thrown.stack ? { stack: redactText(thrown.stack) } : {}),
  };
}
