import { HpackError } from "../hpack/mod.ts";
import { ErrorCode, errorName } from "./constants.ts";

/** The peer broke a rule, or a limit was passed, in a way that ends the whole connection (RFC 9113, section 5.4.1). */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  /** The code that GOAWAY carries; see {@linkcode ErrorCode}. */
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(`${message} (${errorName(code)})`, options);
    this.code = code;
  }
}

/** Who ended a stream. */
export type CloseSource = "local" | "peer" | "connection";

/** Why a stream ended before both sides were done. */
export class StreamClosedError extends Error {
  override readonly name = "StreamClosedError";
  /** The code of the RST_STREAM or GOAWAY, or INTERNAL_ERROR when the connection was lost; see {@linkcode ErrorCode}. */
  readonly code: number;
  /** Who ended it: we, the peer's RST_STREAM, or the end of the connection. */
  readonly source: CloseSource;
  /** The peer surely did nothing with the request (REFUSED_STREAM, or past the last stream of its GOAWAY): safe to repeat. */
  readonly unprocessed: boolean;

  constructor(code: number, source: CloseSource, message: string, options?: ErrorOptions & { unprocessed?: boolean }) {
    super(`${message} (${errorName(code)})`, options);
    this.code = code;
    this.source = source;
    this.unprocessed = options?.unprocessed ?? code === ErrorCode.REFUSED_STREAM;
  }
}

/** What went wrong with a connection, as the error that its end carries; {@linkcode HpackError} is COMPRESSION_ERROR. */
export function asConnectionError(error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  if (error instanceof HpackError) {
    return new ConnectionError(ErrorCode.COMPRESSION_ERROR, error.message, { cause: error });
  }
  return new ConnectionError(ErrorCode.INTERNAL_ERROR, "Connection failed", { cause: error });
}
