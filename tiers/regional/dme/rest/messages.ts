import { BodyError, httpStatusOf, httpStatusText } from "../../../../shared/http/mod.ts";
import { RpcError, Status } from "../../../../shared/rpc/mod.ts";
import { fromJson, issueText, JsonError, type JsonValue, type MessageType } from "../../../../shared/schema/mod.ts";

/** Longest request, or event; the largest that a known client sends has some 14 KB, most of it a tag of padding. */
export const MAX_MESSAGE_BYTES = 256 * 1024;

/** Reads a message from JSON. @throws {RpcError} INVALID_ARGUMENT naming what is wrong. */
export function messageOf<T>(type: MessageType<T>, json: unknown): T {
  try {
    return fromJson(type, json as JsonValue, "dme");
  } catch (error) {
    throw requestFault(error);
  }
}

/** What is wrong with a request, as the status of its call; other errors are given back as they are. */
export function requestFault(error: unknown): unknown {
  if (error instanceof BodyError) return new RpcError(Status.INVALID_ARGUMENT, error.message);
  if (error instanceof JsonError) return new RpcError(Status.INVALID_ARGUMENT, error.issues.map(issueText).join("; "));
  return error;
}

/** Body of an error (DME specification 2.4). */
export function errorBody({ code, message }: RpcError): object {
  return { code, message, details: [] };
}

/** The error as the last line of a stream (DME specification 2.1). */
export function errorLine({ code, message }: RpcError): object {
  const status = httpStatusOf(code);
  return {
    error: { grpc_code: code, http_code: status, message, http_status: httpStatusText(status), details: [] },
  };
}
