/** Deepest nesting that is accepted; our own objects stay below 10. */
const MAX_DEPTH = 64;

/** Where things are in a JSON text; offsets count UTF-8 bytes. */
export interface JsonPlaces {
  /** Offset of the first character that is no JSON; undefined when the text is sound. */
  readonly faultOffset?: number;
  /** Offset of the value at a dotted path; list elements are numbered. 0 when there is none. */
  offsetOf(path: string): number;
}

/** Scans a JSON text (RFC 8259) for the places of its values, or of its first fault. */
export function scanJson(text: string): JsonPlaces {
  const scan = new Scan(text);
  const fault = scan.run();
  const toBytes = (index: number) => new TextEncoder().encode(text.slice(0, index)).length;
  return {
    ...(fault !== undefined && { faultOffset: toBytes(fault) }),
    offsetOf: (path) => toBytes(scan.places.get(path) ?? 0),
  };
}

class ScanFault {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
// deno-lint-ignore no-control-regex
const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\n\r]*/y;

class Scan {
  readonly places = new Map<string, number>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the index of the first fault. */
  run(): number | undefined {
    try {
      this.#value("", 0);
      this.#skip(SPACE);
      return this.#at === this.#text.length ? undefined : this.#at;
    } catch (fault) {
      if (fault instanceof ScanFault) return fault.index;
      throw fault;
    }
  }

  #value(path: string, depth: number): void {
    this.#skip(SPACE);
    this.places.set(path, this.#at);
    if (depth > MAX_DEPTH) this.#fail();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#members("}", (index) => this.#member(path, depth, index));
      case "[":
        return this.#members("]", (index) => this.#value(path === "" ? `${index}` : `${path}.${index}`, depth + 1));
      case '"':
        return void this.#need(STRING);
      case "t":
        return this.#word("true");
      case "f":
        return this.#word("false");
      case "n":
        return this.#word("null");
      default:
        return void this.#need(NUMBER);
    }
  }

  #members(end: string, member: (index: number) => void): void {
    this.#at++;
    this.#skip(SPACE);
    if (this.#text[this.#at] === end) return void this.#at++;
    for (let index = 0;; index++) {
      member(index);
      this.#skip(SPACE);
      const next = this.#text[this.#at];
      if (next !== "," && next !== end) this.#fail();
      this.#at++;
      if (next === end) return;
    }
  }

  #member(path: string, depth: number, _index: number): void {
    this.#skip(SPACE);
    const name = JSON.parse(this.#need(STRING)) as string;
    this.#skip(SPACE);
    if (this.#text[this.#at] !== ":") this.#fail();
    this.#at++;
    this.#value(path === "" ? name : `${path}.${name}`, depth + 1);
  }

  #word(word: string): void {
    if (!this.#text.startsWith(word, this.#at)) this.#fail();
    this.#at += word.length;
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #need(pattern: RegExp): string {
    const found = this.#skip(pattern);
    if (found === "") this.#fail();
    return found;
  }

  #fail(): never {
    throw new ScanFault(this.#at);
  }
}
