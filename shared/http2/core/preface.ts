import { CLIENT_PREFACE } from "./constants.ts";

/** Octets of a first line that we wait for before we take it for noise. */
const MAX_FIRST_LINE_BYTES = 4_096;

/** What the first octets of a connection turned out to be. */
export type PrefaceResult =
  /** Not enough to tell. */
  | { kind: "more" }
  /** HTTP/2; its frames begin at `next` of the chunk. */
  | { kind: "http2"; next: number }
  /** A request line of HTTP/1. */
  | { kind: "http1" }
  /** Something else. */
  | { kind: "noise" };

/** Tells a client of HTTP/2 from one of HTTP/1.1 and from noise by its first octets. */
export class Preface {
  #matched = 0;
  #line: string | null = null;

  /** Looks at the next octets. */
  push(chunk: Uint8Array): PrefaceResult {
    let at = 0;
    while (this.#line === null && at < chunk.length) {
      if (chunk[at] !== CLIENT_PREFACE[this.#matched]) {
        this.#line = String.fromCharCode(...CLIENT_PREFACE.subarray(0, this.#matched));
        break;
      }
      at++;
      if (++this.#matched === CLIENT_PREFACE.length) return { kind: "http2", next: at };
    }
    if (this.#line === null) return { kind: "more" };
    for (; at < chunk.length; at++) {
      const c = chunk[at]!;
      if (c === 0x0a) return { kind: /^[A-Z]+ \S+ HTTP\/1\.[01]\r?$/.test(this.#line) ? "http1" : "noise" };
      // A request line is of visible characters, blanks and a CR.
      if ((c < 0x20 && c !== 0x0d) || c > 0x7e || this.#line.length >= MAX_FIRST_LINE_BYTES) return { kind: "noise" };
      this.#line += String.fromCharCode(c);
    }
    return { kind: "more" };
  }
}

const HTTP1_BODY = "This port speaks HTTP/2 only.\n";

/** What a client of HTTP/1.1 gets before the connection closes. */
export const HTTP1_ANSWER: Uint8Array = new TextEncoder().encode(
  `HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: ${HTTP1_BODY.length}\r\nconnection: close\r\n\r\n` +
    HTTP1_BODY,
);
