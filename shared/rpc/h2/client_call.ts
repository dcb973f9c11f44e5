import {
  ErrorCode,
  type HeaderField,
  type HeaderList,
  type Http2Client,
  type Http2Stream,
  type PreparedHeaders,
  StreamClosedError,
} from "../../http2/mod.ts";
import { RpcError } from "../error.ts";
import { Metadata } from "../metadata.ts";
import { Status, toStatus } from "../status.ts";
import type { CallEnd, OutgoingCall, StartOptions } from "../transport.ts";
import { compress, compressedPrefixOf } from "./compression.ts";
import { detailsOf, fieldOf, metadataOf, percentDecode } from "./headers.ts";
import { MessageReader, prefixOf } from "./message_reader.ts";

/** Status of a call that an HTTP answer refused (gRPC's "HTTP to gRPC Status Code Mapping"). */
const STATUS_OF_HTTP: Record<string, Status> = {
  "400": Status.INTERNAL,
  "401": Status.UNAUTHENTICATED,
  "403": Status.PERMISSION_DENIED,
  "404": Status.UNIMPLEMENTED,
  "429": Status.UNAVAILABLE,
  "502": Status.UNAVAILABLE,
  "503": Status.UNAVAILABLE,
  "504": Status.UNAVAILABLE,
};

/** One call; it exists before there is a connection to run it on. */
export class H2ClientCall implements OutgoingCall {
  readonly ended: Promise<CallEnd>;
  readonly #resolveEnd: (end: CallEnd) => void;
  readonly #options: StartOptions;
  readonly #maxMessageBytes: number;
  readonly #ready = Promise.withResolvers<void>();
  #stream: Http2Stream | undefined;
  #reader: MessageReader | undefined;
  /** First message, held back to the end of the tick: of most calls it is the only one, and leaves with the end. */
  #held: Uint8Array | undefined;
  /** Prefix of the first message, also while it may have to be sent again. */
  #firstPrefix: Uint8Array | undefined;
  #halfClosed = false;
  /** The whole request, as long as it may have to be sent again. */
  #replay: Uint8Array | undefined;
  #over = false;
  #onOver: (() => void) | undefined;

  constructor(options: StartOptions, maxMessageBytes: number) {
    const { promise, resolve } = Promise.withResolvers<CallEnd>();
    this.ended = promise;
    this.#resolveEnd = resolve;
    this.#options = options;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Whether the call has ended. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether the call has a stream. */
  get attached(): boolean {
    return this.#stream !== undefined;
  }

  /** Calls back when the call is over. One listener only. */
  onOver(listener: () => void): void {
    this.#onOver = listener;
  }

  /**
   * Runs the call on a connection. `again` is called when the server has certainly not looked at the request.
   * @throws {StreamClosedError} when the connection takes no calls any more.
   */
  attach(client: Http2Client, headers: readonly HeaderField[] | PreparedHeaders, again: () => void): void {
    const stream = client.open(headers);
    this.#stream = stream;
    this.#reader = new MessageReader(stream, this.#maxMessageBytes, () => fieldOf(stream.headers, "grpc-encoding"));
    stream.onResponse((response) => this.#onResponse(response));
    stream.onClose((error) => {
      if (this.#over || stream !== this.#stream) return;
      if (error === null || stream.remoteClosed) return void this.#finishFromStream();
      const replay = this.#replay;
      if (error.unprocessed && replay !== undefined && this.#halfClosed) {
        this.#stream = undefined;
        this.#held = replay;
        this.#replay = undefined;
        again();
      } else {
        this.#end(endOfClose(error));
      }
    });
    const held = this.#held;
    if (held !== undefined) this.#sendHeld(held);
    else if (this.#halfClosed) settled(stream.end());
    this.#ready.resolve();
  }

  write(message: Uint8Array): Promise<void> | void {
    if (this.#over) return;
    const small = this.#options.compress ? compress(message) : undefined;
    return small === undefined
      ? this.#write(prefixOf(message.length), message)
      : this.#write(compressedPrefixOf(small.length), small);
  }

  #write(prefix: Uint8Array, message: Uint8Array): Promise<void> | void {
    if (this.#over) return;
    if (this.#held === undefined && this.#replay === undefined && !this.#halfClosed) {
      this.#held = message;
      this.#firstPrefix = prefix;
      this.#replay = message;
      if (this.#stream) queueMicrotask(() => this.#held === message && this.#sendHeld(message));
      return this.#stream ? undefined : this.#ready.promise;
    }
    this.#replay = EMPTY;
    const stream = this.#stream;
    if (stream === undefined) return this.#ready.promise.then(() => this.#write(prefix, message));
    if (this.#held !== undefined) this.#sendHeld(this.#held);
    try {
      return settled(stream.write(prefix, message));
    } catch (error) {
      if (!(error instanceof StreamClosedError)) throw error;
    }
  }

  halfClose(): void {
    if (this.#over || this.#halfClosed) return;
    this.#halfClosed = true;
    if (this.#replay === EMPTY) this.#replay = undefined;
    const stream = this.#stream;
    if (stream === undefined) return;
    if (this.#held !== undefined) return this.#sendHeld(this.#held);
    try {
      settled(stream.end());
    } catch (error) {
      if (!(error instanceof StreamClosedError)) throw error;
    }
  }

  #sendHeld(held: Uint8Array): void {
    this.#held = undefined;
    const stream = this.#stream!;
    if (this.#over) return;
    try {
      if (this.#halfClosed) settled(stream.end(this.#firstPrefix!, held));
      else settled(stream.write(this.#firstPrefix!, held));
    } catch (error) {
      if (!(error instanceof StreamClosedError)) throw error;
    }
  }

  #onResponse(headers: HeaderList): void {
    this.#replay = undefined;
    const status = fieldOf(headers, ":status");
    const type = fieldOf(headers, "content-type");
    if (fieldOf(headers, "grpc-status") !== undefined) return; // trailers alone: read with the end
    if (status !== "200" || !type?.startsWith("application/grpc")) {
      const code = status === "200" ? Status.UNKNOWN : STATUS_OF_HTTP[status ?? ""] ?? Status.UNKNOWN;
      this.#stop(new RpcError(code, `The server answered HTTP ${status} of type ${type ?? "none"}, no gRPC`));
      return;
    }
    this.#options.onHeaders(metadataOf(headers));
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#over && this.#stream === undefined) return undefined;
    if (this.#stream === undefined) await Promise.race([this.#ready.promise, this.ended]);
    if (this.#reader === undefined || this.#cut) return undefined;
    try {
      const message = await this.#reader.read();
      if (message === undefined) this.#finishFromStream();
      return this.#cut ? undefined : message;
    } catch (error) {
      if (error instanceof StreamClosedError) {
        // The stream was given up for another try: go on with that one.
        if (!this.#over && this.#stream === undefined) return this.read();
        this.#end(endOfClose(error));
      } else {
        this.#stop(RpcError.from(error));
      }
      return undefined;
    }
  }

  #cut = false;

  /** Takes the status from the trailers, or from headers that stand alone. */
  #finishFromStream(): void {
    const stream = this.#stream;
    if (this.#over || stream === undefined) return;
    const trailers = stream.trailers ?? stream.headers;
    const code = fieldOf(trailers, "grpc-status");
    if (!stream.closed) stream.reset(ErrorCode.CANCEL);
    if (code === undefined || !/^\d{1,3}$/.test(code)) {
      const message = code === undefined ? "The server sent no status" : `The server sent the status ${code}`;
      return this.#end({ code: Status.UNKNOWN, message, trailers: new Metadata() });
    }
    this.#end({
      code: toStatus(Number(code)),
      message: percentDecode(fieldOf(trailers, "grpc-message") ?? ""),
      details: detailsOf(trailers),
      trailers: metadataOf(trailers),
    });
  }

  cancel(reason: RpcError): void {
    if (this.#over) return;
    this.#stop(reason);
  }

  #stop(reason: RpcError): void {
    this.#cut = true;
    this.#end({ code: reason.code, message: reason.message, details: reason.details, trailers: reason.metadata });
    if (this.#stream && !this.#stream.closed) this.#stream.reset(ErrorCode.CANCEL);
  }

  /** Ends the call; the first end counts. */
  #end(end: CallEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#resolveEnd(end);
    this.#ready.resolve();
    this.#onOver?.();
  }
}

/** Marks a request of several messages, which cannot be sent again. */
const EMPTY = new Uint8Array();

/** What the loss of a stream means to its caller (gRPC over HTTP/2, "Errors"). */
function endOfClose(error: StreamClosedError): CallEnd {
  const trailers = new Metadata();
  if (error.unprocessed || error.source === "connection") {
    return { code: Status.UNAVAILABLE, message: "The connection was lost", trailers };
  }
  switch (error.code) {
    case ErrorCode.CANCEL:
      return { code: Status.CANCELLED, message: "The server cancelled the call", trailers };
    case ErrorCode.ENHANCE_YOUR_CALM:
      return { code: Status.RESOURCE_EXHAUSTED, message: "The server asks for a slower pace", trailers };
    case ErrorCode.INADEQUATE_SECURITY:
      return { code: Status.PERMISSION_DENIED, message: "The server asks for better security", trailers };
    default:
      return { code: Status.INTERNAL, message: `The server reset the call (HTTP/2 error ${error.code})`, trailers };
  }
}

/** The same wait, which ends also when the stream does: whoever waits for room learns of the end by `ended`. */
function settled(room: void | Promise<void>): void | Promise<void> {
  return room?.catch(() => {});
}
