/** Longest request body that is read unless the caller says otherwise, bytes. */
export const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

/** A request body that cannot be used; the message is for the caller. */
export class BodyError extends Error {
  override readonly name = "BodyError";
  /** HTTP status that fits: 400, 408 or 413. */
  readonly status: number;

  constructor(status: 400 | 408 | 413, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** They hold nothing between two texts, since they never decode a part of one. The strict one is slower. */
const utf8 = new TextDecoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });
/** Stands for what is no UTF-8, or for itself. */
const REPLACEMENT = "\ufffd";

/** How a body is read. */
export interface BodyOptions {
  /** @default {DEFAULT_MAX_BODY_BYTES} */
  readonly maxBytes?: number;
  /** Gives up on a sender that is too slow. @default never */
  readonly signal?: AbortSignal;
}

/**
 * Reads a body of bounded size.
 *
 * @throws {BodyError} 413 when it is too long, 408 when the signal aborts, 400 when the connection breaks off.
 */
export async function readBytes(request: Request, options: BodyOptions = {}): Promise<Uint8Array> {
  const { maxBytes = DEFAULT_MAX_BODY_BYTES, signal } = options;
  // A length that is announced is refused before any of it is read.
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxBytes) throw tooLong(maxBytes);
  // Before the body is looked at: that alone makes a stream of it.
  if (announced !== null && signal === undefined) return await readAnnounced(request);
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader();
  const cancel = () => void reader.cancel(signal!.reason).catch(() => {});
  signal?.addEventListener("abort", cancel, { once: true });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (signal?.aborted) throw new BodyError(408, "Request body did not arrive in time");
      if (done) break;
      length += value.length;
      if (length > maxBytes) {
        await reader.cancel().catch(() => {});
        throw tooLong(maxBytes);
      }
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof BodyError) throw error;
    throw new BodyError(400, "Request body broke off", { cause: error });
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
  return chunks.length === 1 ? chunks[0]! : join(chunks, length);
}

/**
 * Reads a JSON body; an empty one is undefined.
 *
 * @throws {BodyError} As {@link readBytes}, and 400 when the body is not UTF-8 or not JSON.
 */
export async function readJson(request: Request, options: BodyOptions = {}): Promise<unknown> {
  const bytes = await readBytes(request, options);
  let text: string;
  try {
    text = utf8.decode(bytes);
    if (text.includes(REPLACEMENT)) text = strictUtf8.decode(bytes);
  } catch {
    throw new BodyError(400, "Request body is not UTF-8");
  }
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BodyError(400, `Request body is not JSON: ${jsonFault(error, text)}`);
  }
}

/** The whole body at once, which costs a fraction of reading its chunks; the server holds the sender to its length. */
async function readAnnounced(request: Request): Promise<Uint8Array> {
  try {
    return await request.bytes();
  } catch (error) {
    throw new BodyError(400, "Request body broke off", { cause: error });
  }
}

/** Where parsing stopped, without quoting the body, which may hold secrets. */
function jsonFault(error: unknown, text: string): string {
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
  if (position === undefined) return "it ends too early or holds an unexpected character";
  const before = text.slice(0, Number(position));
  const line = before.split("\n").length;
  return `unexpected character at line ${line}, column ${before.length - before.lastIndexOf("\n")}`;
}

function tooLong(maxBytes: number): BodyError {
  return new BodyError(413, `Request body is too long: at most ${maxBytes} bytes are accepted`);
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
