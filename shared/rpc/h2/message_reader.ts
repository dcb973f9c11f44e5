import { gunzipSync } from "node:zlib";
import type { Http2Stream } from "../../http2/mod.ts";
import { RpcError } from "../error.ts";
import { Status } from "../status.ts";

/** Octets in front of every message: a flag for compression and the length. */
export const PREFIX_BYTES = 5;

/** Lengths below it have their prefix made once: most messages are small, and an array costs more than its five octets. */
const KEPT_PREFIXES = 4_096;
const prefixes: Uint8Array[] = [];

/** The prefix of a message that is not compressed; never written to. */
export function prefixOf(length: number): Uint8Array {
  return length < KEPT_PREFIXES ? prefixes[length] ??= makePrefix(length) : makePrefix(length);
}

function makePrefix(length: number): Uint8Array {
  const prefix = new Uint8Array(PREFIX_BYTES);
  prefix[1] = length >>> 24;
  prefix[2] = length >>> 16;
  prefix[3] = length >>> 8;
  prefix[4] = length;
  return prefix;
}

/** Cuts the octets of a stream into messages; never holds more than one message and what came with its end. */
export class MessageReader {
  readonly #stream: Http2Stream;
  readonly #maxMessageBytes: number;
  /** Name of the peer's `grpc-encoding`; looked up late, as a client learns it with the response. */
  readonly #encoding: () => string | undefined;
  #chunk: Uint8Array | undefined;
  #at = 0;
  /** Parts of a message that is not complete, with their length. */
  #parts: Uint8Array[] = [];
  #held = 0;

  constructor(stream: Http2Stream, maxMessageBytes: number, encoding: () => string | undefined) {
    this.#stream = stream;
    this.#maxMessageBytes = maxMessageBytes;
    this.#encoding = encoding;
  }

  /**
   * Next message; undefined at the end of the body.
   * @throws {RpcError} on a message that is too large, compressed in a way we do not know, or cut off.
   * @throws {StreamClosedError} when the stream is over early.
   */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    for (;;) {
      const message = this.#next();
      if (message !== undefined) return message;
      const chunk = this.#stream.tryRead();
      if (chunk === undefined) return this.#wait();
      if (chunk === null) return this.#ended();
      this.#take(chunk);
    }
  }

  async #wait(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = await this.#stream.read();
      if (chunk === null) return this.#ended();
      this.#take(chunk);
      const message = this.#next();
      if (message !== undefined) return message;
    }
  }

  #ended(): undefined {
    if (this.#held === 0 && this.#chunk === undefined) return undefined;
    throw new RpcError(Status.INTERNAL, "The stream ended inside a message");
  }

  #take(chunk: Uint8Array): void {
    if (this.#held === 0) {
      this.#chunk = chunk;
      this.#at = 0;
    } else {
      this.#parts.push(chunk);
      this.#held += chunk.length;
    }
  }

  #next(): Uint8Array | undefined {
    if (this.#held > 0 && !this.#join()) return undefined;
    const chunk = this.#chunk;
    if (chunk === undefined) return undefined;
    const left = chunk.length - this.#at;
    const length = left >= PREFIX_BYTES ? this.#length(chunk, this.#at + 1) : 0;
    if (left < PREFIX_BYTES || left < PREFIX_BYTES + length) {
      this.#parts = [this.#at === 0 ? chunk : chunk.subarray(this.#at)];
      this.#held = left;
      this.#chunk = undefined;
      return undefined;
    }
    const start = this.#at + PREFIX_BYTES;
    const message = chunk.subarray(start, start + length);
    const compressed = chunk[this.#at]!;
    this.#at = start + length;
    if (this.#at === chunk.length) this.#chunk = undefined;
    return compressed === 0 ? message : this.#decompress(compressed, message);
  }

  /** Joins the parts once they hold a message; false while they do not. */
  #join(): boolean {
    if (this.#held < PREFIX_BYTES) return false;
    if (this.#parts[0]!.length < PREFIX_BYTES) this.#parts = [joined(this.#parts, this.#held)];
    if (this.#held < PREFIX_BYTES + this.#length(this.#parts[0]!, 1)) return false;
    this.#chunk = this.#parts.length === 1 ? this.#parts[0]! : joined(this.#parts, this.#held);
    this.#at = 0;
    this.#parts = [];
    this.#held = 0;
    return true;
  }

  #length(bytes: Uint8Array, at: number): number {
    const length = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
    if (length > this.#maxMessageBytes) throw this.#tooLarge(`of ${length} bytes`);
    return length;
  }

  #decompress(flag: number, message: Uint8Array): Uint8Array {
    const encoding = this.#encoding() ?? "identity";
    if (flag !== 1) throw new RpcError(Status.INTERNAL, `The compression flag of a message is ${flag}, not 0 or 1`);
    if (encoding !== "gzip") {
      throw new RpcError(Status.INTERNAL, `A message is compressed, but grpc-encoding is ${encoding}`);
    }
    try {
      return gunzipSync(message, { maxOutputLength: this.#maxMessageBytes });
    } catch (error) {
      if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw this.#tooLarge("once decompressed");
      throw new RpcError(Status.INTERNAL, "A message cannot be decompressed", { cause: error });
    }
  }

  #tooLarge(what: string): RpcError {
    return new RpcError(
      Status.RESOURCE_EXHAUSTED,
      `A message ${what} is larger than the ${this.#maxMessageBytes} bytes accepted`,
    );
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
