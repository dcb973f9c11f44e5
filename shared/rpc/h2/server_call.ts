import { ErrorCode, type HeaderField, type Http2Stream, PreparedHeaders, StreamClosedError } from "../../http2/mod.ts";
import type { Peer } from "../context.ts";
import { RpcError } from "../error.ts";
import type { Metadata } from "../metadata.ts";
import { Status } from "../status.ts";
import type { CallEnd, IncomingCall } from "../transport.ts";
import { acceptsGzip, compress, compressedPrefixOf } from "./compression.ts";
import { addMetadata, addStatus, fieldOf, metadataOf } from "./headers.ts";
import { MessageReader, prefixOf } from "./message_reader.ts";

const RESPONSE: readonly HeaderField[] = [
  [":status", "200"],
  ["content-type", "application/grpc"],
  ["grpc-accept-encoding", "identity,gzip"],
];
/** What nearly every response starts and ends with, encoded once a connection. */
const PREPARED_RESPONSE = new PreparedHeaders([...RESPONSE]);
const GZIP_RESPONSE: readonly HeaderField[] = [...RESPONSE, ["grpc-encoding", "gzip"]];
const PREPARED_GZIP_RESPONSE = new PreparedHeaders([...GZIP_RESPONSE]);
const PREPARED_OK = new PreparedHeaders([["grpc-status", "0"]]);

/** A request's stream as a call. */
export class H2ServerCall implements IncomingCall {
  readonly path: string;
  readonly deadline?: number;
  readonly #stream: Http2Stream;
  readonly #reader: MessageReader;
  #metadata: Metadata | undefined;
  #peer: Peer | undefined;
  /** First message, held back to the end of the tick: most calls end within it, and leave as one write. */
  #held: Uint8Array | undefined;
  #heldPrefix: Uint8Array | undefined;
  #headersSent = false;
  /** Whether the response headers say, or will say, that messages may be compressed. */
  #gzip = false;
  #over = false;
  #aborted: RpcError | undefined;
  #onAbort: ((reason: RpcError) => void) | undefined;

  constructor(stream: Http2Stream, path: string, deadline: number | undefined, maxMessageBytes: number) {
    this.#stream = stream;
    this.path = path;
    this.deadline = deadline;
    this.#reader = new MessageReader(stream, maxMessageBytes, () => fieldOf(stream.headers, "grpc-encoding"));
    stream.onClose((error) => {
      if (error === null || this.#over) return;
      this.#over = true;
      this.#aborted = new RpcError(Status.CANCELLED, "The caller has gone", { cause: error });
      this.#onAbort?.(this.#aborted);
    });
  }

  get metadata(): Metadata {
    return this.#metadata ??= metadataOf(this.#stream.headers);
  }

  header(name: string): string | undefined {
    return fieldOf(this.#stream.headers, name);
  }

  get requestEncoding(): string {
    return fieldOf(this.#stream.headers, "grpc-encoding") ?? "identity";
  }

  get peer(): Peer {
    const { remoteAddress, certificate } = this.#stream.peer;
    return this.#peer ??= {
      address: remoteAddress?.hostname ?? "",
      port: remoteAddress?.port ?? 0,
      certificates: certificate?.verified ? certificate.chain : undefined,
    };
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    try {
      const message = this.#reader.read();
      return message instanceof Promise ? message.catch((error) => this.#readFailed(error)) : message;
    } catch (error) {
      return this.#readFailed(error);
    }
  }

  #readFailed(error: unknown): undefined {
    if (error instanceof StreamClosedError) {
      // A handler that reads on after it has answered sees the end of the requests.
      if (this.#aborted === undefined && this.#over) return undefined;
      throw this.#aborted ?? new RpcError(Status.CANCELLED, "The caller has gone", { cause: error });
    }
    throw error;
  }

  sendHeaders(metadata: Metadata, mayCompress: boolean): void {
    if (this.#over || this.#headersSent) return;
    this.#choose(mayCompress);
    this.#headersSent = true;
    const fields = this.#gzip ? [...GZIP_RESPONSE] : [...RESPONSE];
    addMetadata(fields, metadata);
    this.#stream.respond(fields);
  }

  write(message: Uint8Array, compressed: boolean): Promise<void> | void {
    if (this.#over) return;
    const first = !this.#headersSent && this.#held === undefined;
    if (first) this.#choose(compressed);
    const small = compressed && this.#gzip ? compress(message) : undefined;
    const prefix = small === undefined ? prefixOf(message.length) : compressedPrefixOf(small.length);
    if (first) {
      this.#held = small ?? message;
      this.#heldPrefix = prefix;
      queueMicrotask(() => this.#release());
      return;
    }
    this.#release();
    return settled(this.#stream.write(prefix, small ?? message));
  }

  writeFramed(messages: Uint8Array): Promise<void> | void {
    if (this.#over || messages.length === 0) return;
    this.#release();
    if (!this.#headersSent) {
      this.#headersSent = true;
      this.#stream.respond(this.#prepared);
    }
    return settled(this.#stream.write(messages));
  }

  /** Settles for the whole response whether messages may be compressed: once the headers have left, it is too late. */
  #choose(mayCompress: boolean): void {
    this.#gzip = mayCompress && acceptsGzip(fieldOf(this.#stream.headers, "grpc-accept-encoding"));
  }

  get #prepared(): PreparedHeaders {
    return this.#gzip ? PREPARED_GZIP_RESPONSE : PREPARED_RESPONSE;
  }

  /** Sends what was held back, as the call did not end within the tick. */
  #release(): void {
    const held = this.#held;
    if (held === undefined || this.#over) return;
    this.#held = undefined;
    this.#headersSent = true;
    this.#stream.respond(this.#prepared);
    settled(this.#stream.write(this.#heldPrefix!, held));
  }

  finish(end: CallEnd): void {
    if (this.#over) return;
    this.#over = true;
    const held = this.#held;
    this.#held = undefined;
    try {
      this.#finish(end, held);
    } catch (error) {
      if (!(error instanceof StreamClosedError)) throw error;
    }
  }

  cut(): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = undefined;
    this.#stream.reset(ErrorCode.ENHANCE_YOUR_CALM, "The caller takes nothing");
  }

  #finish(end: CallEnd, held: Uint8Array | undefined): void {
    const stream = this.#stream;
    if (end.code === Status.OK && end.trailers.size === 0 && end.message === "" && end.details === undefined) {
      if (held !== undefined) {
        settled(stream.respondWhole(this.#prepared, this.#heldPrefix!, held, PREPARED_OK));
        return;
      }
      if (this.#headersSent) return stream.sendTrailers(PREPARED_OK);
    }
    const fields: HeaderField[] = [];
    addStatus(fields, end.code, end.message, end.details);
    addMetadata(fields, end.trailers);
    if (held !== undefined) {
      settled(stream.respondWhole(this.#prepared, this.#heldPrefix!, held, fields));
    } else if (this.#headersSent) {
      stream.sendTrailers(fields);
    } else {
      stream.respond([...RESPONSE, ...fields], true);
    }
  }

  onAbort(listener: (reason: RpcError) => void): void {
    this.#onAbort = listener;
    if (this.#aborted) listener(this.#aborted);
  }
}

/** The same wait, which ends also when the stream does: whoever waits for room learns of the end by the abort. */
function settled(room: void | Promise<void>): void | Promise<void> {
  return room?.catch(() => {});
}
