import { ApiError, errorBody } from "./api_error.ts";
import type { StreamReply } from "./reply.ts";

/** What a stream needs of its surroundings. */
export interface StreamHooks {
  toError(error: unknown): ApiError;
  /** The reply has ended; an error after the first document hides behind status 200. */
  ended(error: ApiError | undefined): void;
  /** The client is gone: whatever the source waits for must end. */
  abandon(): void;
}

/**
 * Makes the response of a stream (mc spec 1.2): an error before the first document becomes an ordinary error, one after
 * it a last document `{"result":…}`. The source is asked for the next item only when the client has room for it.
 * @throws {ApiError} for an error before the first document
 */
export async function streamResponse(
  { items, tail }: Pick<StreamReply, "items" | "tail">,
  { toError, ended, abandon }: StreamHooks,
): Promise<Response> {
  const iterator = items[Symbol.asyncIterator]();
  let first: IteratorResult<unknown>;
  try {
    first = await iterator.next();
  } catch (error) {
    throw toError(error);
  }
  if (first.done && tail?.() === undefined) {
    ended(undefined);
    return new Response(null, { status: 200, headers: { "content-type": "application/json" } });
  }
  let pending: IteratorResult<unknown> | undefined = first;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = pending ?? await iterator.next();
        pending = undefined;
        if (next.done) {
          const last = tail?.();
          if (last !== undefined) controller.enqueue(line(last));
          controller.close();
          return ended(undefined);
        }
        controller.enqueue(line({ data: next.value }));
      } catch (thrown) {
        const error = toError(thrown);
        controller.enqueue(line({ result: { ...errorBody(error.message), code: error.status } }));
        controller.close();
        ended(error);
      }
    },
    async cancel() {
      ended(new ApiError(499, "Client closed the connection"));
      // Before `return`, which waits for a running `next`.
      abandon();
      await iterator.return?.();
    },
  }, { highWaterMark: 1 });
  return new Response(body, { status: 200, headers: { "content-type": "application/json" } });
}

function line(document: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(document)}\n`);
}
