import { httpStatusOf } from "../../../../shared/http/mod.ts";
import { RpcError } from "../../../../shared/rpc/mod.ts";
import type { Clock } from "../../../../shared/runtime/mod.ts";

/** A silent stream carries an empty line so often, so that a client that has gone is noticed, ms. */
const SIGN_OF_LIFE_MS = 20_000;

/** How a stream of messages is written. */
export interface StreamForm<T> {
  readonly contentType: string;
  /** Written before the first message. */
  readonly head?: string;
  message(value: T): string;
  error(error: RpcError): string;
}

/** What a stream is answered with. */
export interface StreamResponseOptions<T> {
  readonly form: StreamForm<T>;
  readonly headers: Record<string, string>;
  readonly clock: Clock;
  /** Takes over the means to break the response off. */
  readonly onStart?: (cut: (error: RpcError) => void) => void;
  readonly onError: (error: RpcError) => void;
}

/**
 * Answers with messages as they come. The status is that of the first error only when no message came before it
 * (DME specification 2.1); it is not sent before one or the other is known.
 */
export async function streamResponse<T>(
  messages: AsyncIterator<T>,
  { form, headers, clock, onStart, onError }: StreamResponseOptions<T>,
): Promise<Response> {
  const encoder = new TextEncoder();
  const all = { "content-type": form.contentType, "cache-control": "no-store", ...headers };
  let first: IteratorResult<T>;
  try {
    first = await messages.next();
  } catch (thrown) {
    const error = RpcError.from(thrown);
    onError(error);
    return new Response((form.head ?? "") + form.error(error), { status: httpStatusOf(error.code), headers: all });
  }
  let over = false;
  let pinged: { cancel(): void } | undefined;
  const stop = () => {
    over = true;
    pinged?.cancel();
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const text = (form.head ?? "") + (first.done ? "" : form.message(first.value));
      if (text !== "") controller.enqueue(encoder.encode(text));
      if (first.done) return controller.close();
      onStart?.((error) => {
        if (over) return;
        stop();
        controller.error(error);
      });
      const ping = () => {
        if (over) return;
        // Not to one that does not read what it has.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode("\n"));
        pinged = clock.setTimer(ping, SIGN_OF_LIFE_MS);
      };
      pinged = clock.setTimer(ping, SIGN_OF_LIFE_MS);
    },
    async pull(controller) {
      try {
        const next = await messages.next();
        if (over) return;
        if (!next.done) return controller.enqueue(encoder.encode(form.message(next.value)));
      } catch (thrown) {
        const error = RpcError.from(thrown);
        if (over) return;
        onError(error);
        controller.enqueue(encoder.encode(form.error(error)));
      }
      stop();
      controller.close();
    },
    cancel() {
      stop();
      void messages.return?.();
    },
  });
  return new Response(body, { status: 200, headers: all });
}
