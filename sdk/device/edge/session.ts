import { pause, type SdkClock, type SdkTimer } from "../clock.ts";
import { MatchError } from "../errors.ts";
import { isSameInstance } from "../instance.ts";
import type { JsonObject } from "../json.ts";
import type { FoundInstance, SearchOptions } from "../matching.ts";
import type { Place } from "../place.ts";
import type { LatencyStatistics, Probe } from "../probe.ts";
import { Channel } from "./channel.ts";
import type { EdgeEvent, EdgeEventOf, Trigger } from "./events.ts";
import { measureInstance, seekQuicker } from "./latency.ts";
import { type Link, type OpenCarrier, openLink, type StreamForm } from "./link.ts";
import {
  customEvent,
  initEvent,
  locationEvent,
  meaningOf,
  type NetworkFacts,
  samplesEvent,
  TERMINATE,
} from "./messages.ts";
import {
  type EdgeOptions,
  INTERVAL_SAMPLES,
  MAX_RECONNECT_DELAY_MS,
  REQUEST_SAMPLES,
  withDefaults,
} from "./options.ts";

/** What an event stream works with. */
export interface EdgeParts {
  readonly clock: SdkClock;
  /** 0 to 1, for the spread of reconnections. */
  readonly random: () => number;
  readonly probe: Probe;
  readonly carrier: string;
  /** The newest session cookie; registers where there is none. */
  readonly sessionCookie: () => Promise<string>;
  readonly find: (place: Place, options?: SearchOptions) => Promise<FoundInstance | undefined>;
  /** Forms that can be had here, in the order they are tried. */
  readonly forms: readonly StreamForm[];
  readonly openers: Readonly<Record<StreamForm, OpenCarrier>>;
}

/** A device that follows its instance. An async iterable of its events, which also come by `on`. */
export interface EdgeEvents extends AsyncIterable<EdgeEvent> {
  /** Calls back with the events of a type. Returns how to stop that. */
  on<T extends EdgeEvent["type"]>(type: T, callback: (event: EdgeEventOf<T>) => void): () => void;
  /** The instance that is followed. */
  readonly instance: FoundInstance;
  /** Whether the stream is open. */
  readonly open: boolean;
  /** Tells where the device is. Returns whether it could be sent; it is kept for later in any case. */
  updateLocation(place: Place): boolean;
  /** Measures the way to the instance now, reports it, and looks for a quicker one where it is over the threshold. */
  measure(): Promise<void>;
  /** Sends something that the app counts. Returns whether it could be sent. */
  sendCustom(name: string, values?: readonly number[]): boolean;
  /** Follows another instance, as an app without `autoMigrate` does after it moved. */
  follow(instance: FoundInstance): void;
  /** Says goodbye, waits until the region has ended the stream, at most as long as confirmations may take. */
  close(): Promise<void>;
}

/** Follows an instance until it is told to stop. */
export function followInstance(
  parts: EdgeParts,
  instance: FoundInstance,
  place: Place | undefined,
  given: EdgeOptions,
): EdgeEvents {
  return new EdgeSession(parts, instance, place, withDefaults(given));
}

class EdgeSession implements EdgeEvents {
  readonly #parts: EdgeParts;
  readonly #options: ReturnType<typeof withDefaults>;
  readonly #channel = new Channel<EdgeEvent>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #timers = new Set<SdkTimer>();
  #instance: FoundInstance;
  #place: Place | undefined;
  #link: Link | undefined;
  /** The form that worked last; tried first. */
  #firstForm = 0;
  #measuring = false;

  constructor(
    parts: EdgeParts,
    instance: FoundInstance,
    place: Place | undefined,
    options: ReturnType<typeof withDefaults>,
  ) {
    this.#parts = parts;
    this.#instance = instance;
    this.#place = place;
    this.#options = options;
    this.#running = this.#run();
  }

  get instance(): FoundInstance {
    return this.#instance;
  }

  get open(): boolean {
    return this.#link !== undefined;
  }

  on<T extends EdgeEvent["type"]>(type: T, callback: (event: EdgeEventOf<T>) => void): () => void {
    return this.#channel.listen((event) => {
      if (event.type === type) callback(event as EdgeEventOf<T>);
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<EdgeEvent> {
    return { next: () => this.#channel.next(), return: () => Promise.resolve({ done: true, value: undefined }) };
  }

  updateLocation(place: Place): boolean {
    this.#place = place;
    return this.#send(locationEvent(place, this.#network()));
  }

  sendCustom(name: string, values: readonly number[] = []): boolean {
    return this.#send(customEvent(name, values));
  }

  measure(): Promise<void> {
    return this.#measure(INTERVAL_SAMPLES);
  }

  follow(instance: FoundInstance): void {
    const elsewhere = !isSameInstance(instance, this.#instance);
    this.#instance = instance;
    if (elsewhere) this.#leave();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Opens the stream again and again. */
  async #run(): Promise<void> {
    const { clock, random } = this.#parts;
    const { reconnectDelayMs } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    let renewed = false;
    while (!signal.aborted) {
      let error: MatchError | undefined;
      try {
        const instance = this.#instance;
        const link = await this.#openAny();
        failures = 0;
        renewed = false;
        error = await this.#use(link, instance);
        if (!isSameInstance(this.#instance, instance)) continue;
      } catch (thrown) {
        error = matchError(thrown);
        // Once: an engine that refuses fresh cookies, too, is not asked again at once.
        if (!signal.aborted && !renewed && await this.#renew(error)) {
          renewed = true;
          continue;
        }
      }
      if (signal.aborted) break;
      const grown = Math.min(reconnectDelayMs * 2 ** failures++, MAX_RECONNECT_DELAY_MS);
      // Devices that lost the same engine do not come back all at once.
      const retryMs = grown * (0.5 + random() / 2);
      this.#channel.push({ type: "lost", error, retryMs });
      await pause(clock, retryMs, signal);
    }
    this.#channel.close();
  }

  /** Tries the forms until one is open. @throws {MatchError} */
  async #openAny(): Promise<Link> {
    const forms = this.#options.forms ?? this.#parts.forms;
    let error = new MatchError("UNIMPLEMENTED", "This runtime has no form of event streams");
    for (let tried = 0; tried < forms.length; tried++) {
      const index = (this.#firstForm + tried) % forms.length;
      try {
        const link = await this.#openForm(forms[index]!);
        this.#firstForm = index;
        return link;
      } catch (thrown) {
        error = matchError(thrown);
        // What the matching engine itself says holds for every form of the stream.
        if (error.answered || this.#stop.signal.aborted) throw error;
      }
    }
    this.#firstForm = 0;
    throw error;
  }

  async #openForm(form: StreamForm): Promise<Link> {
    const sessionCookie = await this.#parts.sessionCookie();
    const cookies = { sessionCookie, edgeEventsCookie: this.#instance.edgeEventsCookie };
    return await openLink({
      form,
      open: this.#parts.openers[form],
      init: initEvent(cookies, this.#options.device ?? {}, this.#network()),
      clock: this.#parts.clock,
      timeoutMs: this.#options.timeoutMs,
      signal: this.#stop.signal,
    });
  }

  /** Keeps a stream until it ends. */
  async #use(link: Link, instance: FoundInstance): Promise<MatchError | undefined> {
    this.#link = link;
    // The app went elsewhere while the stream was being opened.
    if (!isSameInstance(this.#instance, instance)) {
      this.#leave();
      return await link.ended;
    }
    this.#channel.push({ type: "open", form: link.form, instance });
    this.#every(this.#options.locationIntervalMs, () => this.#reportPlace());
    if (instance.ports.length > 0) this.#every(this.#options.latencyIntervalMs, () => this.measure());
    // What a stream that was left still says does not count.
    link.listen((json) => {
      if (this.#link === link) this.#take(json);
    });
    const leave = () => this.#leave();
    const { signal } = this.#stop;
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave);
    const error = await link.ended;
    signal.removeEventListener("abort", leave);
    if (this.#link === link) this.#link = undefined;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    return error;
  }

  /** Says goodbye; the region ends the stream then, or it is cut off. */
  #leave(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    link.send(TERMINATE);
    const timer = this.#parts.clock.setTimer(() => link.close(), this.#options.timeoutMs);
    void link.ended.then(() => timer.cancel());
  }

  #every(intervalMs: number, work: () => Promise<void>): void {
    if (intervalMs <= 0) return;
    const start = () => {
      const timer = this.#parts.clock.setTimer(() => {
        this.#timers.delete(timer);
        start();
        void work();
      }, intervalMs);
      this.#timers.add(timer);
    };
    start();
  }

  #network(): NetworkFacts {
    return { carrierName: this.#parts.carrier, ...this.#options.network?.() };
  }

  #send(event: JsonObject): boolean {
    const link = this.#link;
    link?.send(event);
    return link !== undefined;
  }

  /** Looks for an instance again when the cookies are no longer taken; true when a stream can be opened again. */
  async #renew(error: MatchError): Promise<boolean> {
    if (!error.answered || error.code !== "UNAUTHENTICATED") return false;
    const place = await this.#whereNow();
    if (place === undefined) {
      this.#channel.push({ type: "failed", error });
      this.#stop.abort();
      return false;
    }
    try {
      const found = await this.#parts.find(place);
      if (found === undefined) return false;
      const previous = this.#instance;
      this.#instance = found;
      if (!isSameInstance(found, previous)) {
        this.#channel.push({ type: "newInstance", trigger: "renewed", instance: found, previous });
      }
      return true;
    } catch {
      return false;
    }
  }

  #take(json: JsonObject): void {
    const { told, go, measure } = meaningOf(json);
    if (told !== undefined) this.#channel.push(told);
    if (measure) void this.#measure(REQUEST_SAMPLES);
    if (go !== undefined && this.#wants(go.trigger)) this.#go(go.trigger, go.to, go.reason);
  }

  #wants(trigger: Trigger): boolean {
    return (this.#options.triggers as readonly Trigger[]).includes(trigger);
  }

  #go(trigger: Trigger, to: FoundInstance | undefined, reason: string): void {
    const previous = this.#instance;
    if (to === undefined) return this.#channel.push({ type: "stay", trigger, reason });
    if (isSameInstance(to, previous)) {
      // The cookie is fresh; the stream goes on.
      this.#instance = to;
      return;
    }
    this.#channel.push({ type: "newInstance", trigger, instance: to, previous });
    if (this.#options.autoMigrate) this.follow(to);
  }

  async #whereNow(): Promise<Place | undefined> {
    try {
      this.#place = await this.#options.location?.() ?? this.#place;
    } catch {
      // The last place is better than none.
    }
    return this.#place;
  }

  async #reportPlace(): Promise<void> {
    const place = await this.#whereNow();
    if (place !== undefined) this.#send(locationEvent(place, this.#network()));
  }

  async #measure(samples: number): Promise<void> {
    const current = this.#instance;
    const { probe } = this.#parts;
    const { signal } = this.#stop;
    if (this.#measuring) return;
    this.#measuring = true;
    try {
      const measured = await measureInstance(probe, current, this.#options.port, samples, signal);
      if (measured === undefined || this.#isPast(current)) return;
      this.#channel.push({ type: "latency", ...measured });
      const place = await this.#whereNow();
      if (place === undefined) return;
      this.#send(samplesEvent(measured.values, place, this.#network()));
      const { statistics } = measured;
      if (statistics.average < this.#options.latencyThresholdMs || !this.#wants("latency")) return;
      await this.#seekQuicker(current, place, statistics);
    } finally {
      this.#measuring = false;
    }
  }

  async #seekQuicker(current: FoundInstance, place: Place, statistics: LatencyStatistics): Promise<void> {
    const { find } = this.#parts;
    const options = this.#options;
    try {
      const outcome = await seekQuicker({ find, current, place, statistics, options, signal: this.#stop.signal });
      if (this.#isPast(current)) return;
      if ("to" in outcome) return this.#go("latency", outcome.to, "");
      if (outcome.same !== undefined) this.#instance = outcome.same;
      this.#channel.push({ type: "stay", trigger: "latency", reason: outcome.stay });
    } catch (error) {
      if (!this.#isPast(current)) {
        this.#channel.push({ type: "stay", trigger: "latency", reason: matchError(error).message });
      }
    }
  }

  /** Whether what was begun for an instance is of no use any more. */
  #isPast(instance: FoundInstance): boolean {
    return this.#stop.signal.aborted || !isSameInstance(this.#instance, instance);
  }
}

function matchError(error: unknown): MatchError {
  return error instanceof MatchError ? error : new MatchError("INTERNAL", String(error), { cause: error });
}
