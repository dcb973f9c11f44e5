import { BodyError } from "./body.ts";

const QUOTE = 0x22, BACKSLASH = 0x5c, OPEN = 0x7b, CLOSE = 0x7d, OPEN_LIST = 0x5b, CLOSE_LIST = 0x5d;
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Reads a body of JSON objects that follow one another, with nothing or white space between them, while it arrives.
 *
 * @param maxBytes longest object
 * @throws {BodyError} 413 for a longer one, 400 for anything but objects and for a body that breaks off.
 */
export async function* readJsonObjects(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<unknown, void, void> {
  /** Of the object under way, what came with chunks before this one. */
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let depth = 0;
  let text = false;
  let escaped = false;
  for await (const chunk of body) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (depth === 0) {
        if (SPACES.has(byte)) continue;
        if (byte !== OPEN) throw new BodyError(400, "Request body is not a stream of JSON objects");
        depth = 1;
        start = at;
      } else if (text) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) text = false;
      } else if (byte === QUOTE) {
        text = true;
      } else if (byte === OPEN || byte === OPEN_LIST) {
        depth++;
      } else if (byte === CLOSE || byte === CLOSE_LIST) {
        if (--depth > 0) continue;
        if (heldBytes + at + 1 - start > maxBytes) throw tooLong(maxBytes);
        yield parse([...held, chunk.subarray(start, at + 1)]);
        held = [];
        heldBytes = 0;
      }
    }
    if (depth === 0) continue;
    heldBytes += chunk.length - start;
    if (heldBytes > maxBytes) throw tooLong(maxBytes);
    held.push(chunk.slice(start));
  }
  if (depth > 0) throw new BodyError(400, "Request body ends inside a JSON object");
}

function parse(parts: readonly Uint8Array[]): unknown {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    let text = "";
    for (const part of parts) text += decoder.decode(part, { stream: true });
    return JSON.parse(text + decoder.decode());
  } catch {
    throw new BodyError(400, "Request body holds an object that is not JSON in UTF-8");
  }
}

function tooLong(maxBytes: number): BodyError {
  return new BodyError(413, `Request body holds an object that is too long: at most ${maxBytes} bytes are accepted`);
}
