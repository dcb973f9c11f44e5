import { type NotifyHub, publishObject, retractObject } from "../../../../shared/notify/mod.ts";
import {
  AppInstClient,
  AppInstClientKey,
  AppInstClientWatch,
  AppInstClientWatchKind,
  matches,
} from "../../../../shared/schema/mod.ts";
import type { Logger } from "../../../../shared/telemetry/mod.ts";

/** Type of the messages in which matching engines tell of devices. */
export const CLIENT_MESSAGE = "AppInstClient";

/** Devices that wait for one reader; of more, the oldest are dropped. */
const MAX_WAITING = 1000;

interface Reader {
  readonly key: AppInstClientKey;
  readonly waiting: AppInstClient[];
  wake(): void;
}

/**
 * Devices as the matching engines of this controller see them, for those who watch. While somebody watches, the engines
 * are told so; what they have said is remembered for whoever comes later, up to a bound.
 */
export class ClientWatches {
  readonly #hub: NotifyHub;
  readonly #max: () => number;
  readonly #readers = new Set<Reader>();
  /** Number of readers by the key string of what they watch. */
  readonly #watched = new Map<string, number>();
  /** By device and app, those told of longest ago first. */
  readonly #seen = new Map<string, AppInstClient>();

  /** @param max devices that are remembered for each watch */
  constructor(hub: NotifyHub, max: () => number, log: Logger) {
    this.#hub = hub;
    this.#max = max;
    hub.onMessage(CLIENT_MESSAGE, (value, child) => {
      // Sites have no business with devices.
      if (child.scope !== undefined) return;
      try {
        this.#take(AppInstClient.decode(value));
      } catch (error) {
        log.warn("A device that a matching engine told of cannot be read", { child: child.name, error });
      }
    });
  }

  /** Devices that match, those of the past first, until `signal` is aborted. What is empty in the key matches all. */
  async *watch(key: AppInstClientKey, signal: AbortSignal): AsyncGenerator<AppInstClient> {
    let wake = () => {};
    const waiting = [...this.#seen.values()].filter(({ clientKey }) => matches(AppInstClientKey, key, clientKey));
    const reader: Reader = { key, waiting, wake: () => wake() };
    const stop = () => wake();
    signal.addEventListener("abort", stop, { once: true });
    this.#readers.add(reader);
    this.#count(key, 1);
    try {
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => wake = resolve);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#readers.delete(reader);
      this.#count(key, -1);
    }
  }

  #take(client: AppInstClient): void {
    const interested = [...this.#readers].filter(({ key }) => matches(AppInstClientKey, key, client.clientKey));
    if (interested.length === 0) return;
    const { appInstKey: { appKey }, uniqueId, uniqueIdType } = client.clientKey;
    const id = JSON.stringify([appKey.organization, appKey.name, appKey.version, uniqueIdType, uniqueId]);
    this.#seen.delete(id);
    this.#seen.set(id, client);
    const max = this.#max() * this.#watched.size;
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= max) break;
      this.#seen.delete(oldest);
    }
    for (const { waiting, wake } of interested) {
      waiting.push(client);
      if (waiting.length > MAX_WAITING) waiting.shift();
      wake();
    }
  }

  #count(key: AppInstClientKey, by: number): void {
    const id = AppInstClientWatchKind.keyString(key);
    const count = (this.#watched.get(id) ?? 0) + by;
    if (count > 0) this.#watched.set(id, count);
    else this.#watched.delete(id);
    if (count === 1 && by === 1) publishObject(this.#hub, AppInstClientWatchKind, AppInstClientWatch.create({ key }));
    if (count === 0) retractObject(this.#hub, AppInstClientWatchKind, key);
    // Who is not watched is not told of any more, so what is remembered would only grow old.
    if (this.#readers.size === 0) this.#seen.clear();
  }
}
