import type { SdkClock, SdkTimer } from "../clock.ts";
import { errorIn, MatchError, reasonOf } from "../errors.ts";
import { type JsonObject, objectOf, textOf } from "../json.ts";
import type { Fetch } from "../rest.ts";
import type { OpenCarrier } from "./link.ts";

/** The matching engine sends a sign of life every 20 s; without any for so long, the stream is lost, ms. */
const SILENCE_MS = 65_000;

/**
 * Carries streams by server-sent events, and the device's own events by single requests. By `fetch` rather than by
 * EventSource, which not every runtime has, and which opens a stream again by itself with cookies that are out of date.
 */
export function eventSourceCarrier(fetch: Fetch, url: string, clock: SdkClock): OpenCarrier {
  return (init, { message, ended }) => {
    const stop = new AbortController();
    let over = false;
    let name: string | undefined;
    let turn: Promise<unknown> = Promise.resolve();
    let silence: SdkTimer | undefined;

    const end = (error: MatchError | undefined) => {
      if (over) return;
      over = true;
      silence?.cancel();
      stop.abort();
      ended(error);
    };
    const heard = () => {
      silence?.cancel();
      if (over) return;
      silence = clock.setTimer(
        () => end(new MatchError("UNAVAILABLE", `The stream was silent for ${SILENCE_MS} ms`)),
        SILENCE_MS,
      );
    };

    async function post(event: JsonObject): Promise<void> {
      if (over || name === undefined) return;
      try {
        const response = await fetch(`${url}?stream=${encodeURIComponent(name)}`, {
          method: "POST",
          body: JSON.stringify(event),
          headers: { "content-type": "text/plain;charset=UTF-8" },
          signal: stop.signal,
        });
        const text = await response.text();
        // Not found: the stream is in another process than this request, or gone.
        if (!response.ok) end(errorIn(objectOf(JSON.parse(text))));
      } catch (error) {
        end(new MatchError("UNAVAILABLE", `An event was not delivered: ${reasonOf(error)}`, { cause: error }));
      }
    }

    function take(event: string, data: string): void {
      const json = objectOf(JSON.parse(data));
      if (event === "stream") name = textOf(json.stream);
      else message(json);
    }

    async function read(): Promise<void> {
      heard();
      try {
        const headers = { accept: "text/event-stream" };
        const response = await fetch(`${url}?${query(init)}`, { headers, cache: "no-store", signal: stop.signal });
        if (response.body === null) throw new Error(`HTTP ${response.status} without a body`);
        const type = response.headers.get("content-type") ?? "";
        if (!type.startsWith("text/event-stream")) {
          const json = objectOf(JSON.parse(await response.text()));
          return end(errorIn(json) ?? new MatchError("INTERNAL", `HTTP ${response.status} is no event stream`));
        }
        const parser = eventParser(take);
        const reader = response.body.getReader();
        const decoder = new TextDecoder();
        for (let next = await reader.read(); !next.done && !over; next = await reader.read()) {
          heard();
          parser(decoder.decode(next.value, { stream: true }));
        }
        end(undefined);
      } catch (error) {
        end(new MatchError("UNAVAILABLE", `The event stream is lost: ${reasonOf(error)}`, { cause: error }));
      }
    }

    void read();
    return {
      send(event) {
        // One after another, so that they arrive in order.
        turn = turn.then(() => post(event));
      },
      close: () => end(undefined),
    };
  };
}

/** Longest event that is taken, characters. */
const MAX_EVENT = 1 << 20;

/** What the first event says, as parameters of the address. */
function query(init: JsonObject): URLSearchParams {
  const facts = { ...objectOf(init.device_info_static), ...objectOf(init.device_info_dynamic) };
  const parameters = new URLSearchParams();
  for (const name of ["session_cookie", "edge_events_cookie"]) parameters.set(name, textOf(init[name]));
  for (const name of ["device_os", "device_model", "carrier_name", "data_network_type"]) {
    const value = textOf((facts as JsonObject)[name]);
    if (value !== "") parameters.set(name, value);
  }
  return parameters;
}

/** Takes the text of an event stream piece by piece; calls with each whole event that has data. */
export function eventParser(take: (event: string, data: string) => void): (piece: string) => void {
  let rest = "";
  let event = "";
  let data: string[] = [];
  return (piece) => {
    // A line break of two characters may be cut in the middle.
    const lines = (rest + piece).split(/\r\n|\n|\r(?=[^\n])/);
    rest = lines.pop() ?? "";
    if (rest.length > MAX_EVENT || data.length > MAX_EVENT) throw new RangeError("An event is too long");
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) take(event, data.join("\n"));
        event = "";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") data.push(value);
      else if (field === "event") event = value;
    }
  };
}
