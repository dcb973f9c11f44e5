import type { SdkClock } from "../clock.ts";
import { errorIn, MatchError } from "../errors.ts";
import type { JsonObject } from "../json.ts";

/** How a stream reaches the matching engine. */
export type StreamForm = "websocket" | "server-sent-events";

/** What carries a stream. Everything comes by the callbacks, `ended` last and once. */
export interface Carrier {
  /** Sends an event; without effect once it ended. */
  send(event: JsonObject): void;
  /** Lets go of the connection at once. */
  close(): void;
}

/** What a carrier tells. */
export interface CarrierCallbacks {
  message(json: JsonObject): void;
  /** @param error undefined when the matching engine ended the stream without one */
  ended(error: MatchError | undefined): void;
}

/** Opens a stream with its first event, which holds the cookies. */
export type OpenCarrier = (init: JsonObject, callbacks: CarrierCallbacks) => Carrier;

/** An open stream: the matching engine has confirmed it. */
export interface Link {
  readonly form: StreamForm;
  send(event: JsonObject): void;
  /** Takes the events after the confirmation, those that came already at once. To be called once. */
  listen(onEvent: (json: JsonObject) => void): void;
  /** Settles when the stream has ended. */
  readonly ended: Promise<MatchError | undefined>;
  close(): void;
}

/** What a link is opened with. */
export interface LinkOptions {
  readonly form: StreamForm;
  readonly open: OpenCarrier;
  readonly init: JsonObject;
  readonly clock: SdkClock;
  /** How long the confirmation may take, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Opens a stream and waits until it is confirmed. @throws {MatchError} */
export function openLink(options: LinkOptions): Promise<Link> {
  const { form, clock, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    let end: (error: MatchError | undefined) => void = () => {};
    const ended = new Promise<MatchError | undefined>((settle) => end = settle);
    let confirmed = false;
    const early: JsonObject[] = [];
    let deliver = (json: JsonObject): void => void early.push(json);
    const listen: Link["listen"] = (onEvent) => {
      deliver = onEvent;
      for (const json of early.splice(0)) onEvent(json);
    };
    const fail = (error: MatchError) => {
      settle();
      carrier.close();
      reject(error);
    };
    const abort = () => fail(new MatchError("CANCELLED", "given up"));
    const timer = clock.setTimer(
      () => fail(new MatchError("DEADLINE_EXCEEDED", `${form}: not confirmed within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const settle = () => {
      timer.cancel();
      signal.removeEventListener("abort", abort);
    };
    let lastWords: MatchError | undefined;
    const carrier = options.open(options.init, {
      message(json) {
        lastWords ??= json.event_type === undefined ? errorIn(json) : undefined;
        if (lastWords !== undefined) return;
        if (confirmed) return deliver(json);
        if (json.event_type !== "InitConnection") return;
        confirmed = true;
        settle();
        resolve({ form, ended, listen, send: carrier.send, close: carrier.close });
      },
      ended(error) {
        settle();
        // What the matching engine said itself says more than how the connection ended.
        const why = lastWords ?? error;
        end(why);
        if (!confirmed) reject(why ?? new MatchError("UNAVAILABLE", `${form}: ended before it was confirmed`));
      },
    });
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
  });
}
