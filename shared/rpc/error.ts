import { Metadata } from "./metadata.ts";
import { Status, statusName } from "./status.ts";

/** What an {@linkcode RpcError} carries beside code and message. */
export interface RpcErrorOptions {
  /** Encoded `google.rpc.Status` or any other bytes agreed between the peers (`grpc-status-details-bin`). */
  details?: Uint8Array;
  /** Trailers that travel with the error. */
  metadata?: Metadata;
  /** The private reason: for logs, never sent to the peer. */
  cause?: unknown;
}

/** The one error of this library: a gRPC status other than OK. Its message is public: it travels to the peer. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  /** The gRPC status code. */
  readonly code: Status;
  /** Bytes of `grpc-status-details-bin`, if any. */
  readonly details?: Uint8Array;
  /** Trailers of the failed call. */
  readonly metadata: Metadata;

  constructor(code: Status, message: string, options: RpcErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.metadata = options.metadata ?? new Metadata();
  }

  /** Code by name and the message, for logs. */
  override toString(): string {
    return `RpcError ${statusName(this.code)}: ${this.message}`;
  }

  /**
   * Makes an RpcError of anything thrown. Aborts become CANCELLED, timeouts DEADLINE_EXCEEDED; any other error
   * becomes INTERNAL with a message that says nothing of its inside, which stays in `cause`.
   */
  static from(error: unknown): RpcError {
    if (error instanceof RpcError) return error;
    if (error instanceof Error) {
      if (error.name === "AbortError") return new RpcError(Status.CANCELLED, "Cancelled", { cause: error });
      if (error.name === "TimeoutError") {
        return new RpcError(Status.DEADLINE_EXCEEDED, "Deadline exceeded", { cause: error });
      }
    }
    return new RpcError(Status.INTERNAL, "Internal error", { cause: error });
  }
}
