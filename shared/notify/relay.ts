import type { NotifyClient } from "./client.ts";
import type { NotifyHub } from "./hub.ts";
import type { MessageAddress, MessageMeta } from "./hub_core.ts";
import type { NotifyLog } from "./ports.ts";

/** What a relay passes on. */
export interface RelayOptions {
  /** The relay's end towards its parent; it must want `down` and own `up`. */
  readonly client: NotifyClient;
  /** The relay's end towards its children; it must serve `down`. */
  readonly hub: NotifyHub;
  /** Kinds that go on to the children. */
  readonly down: readonly string[];
  /** Kinds of the children that go on to the parent. */
  readonly up?: readonly string[];
  /** Scope that an object of a kind in `up` belongs to, checked for scoped children. */
  readonly scopeOf?: (kind: string, key: string) => string | undefined;
  /** Types of messages that go on to the children which their address fits. */
  readonly messagesDown?: readonly string[];
  /** Types of messages that go on to the parent. */
  readonly messagesUp?: readonly string[];
  /** Who may see an object, by its key. @default all children: a relay holds only what is for its own scope */
  readonly scopesOf?: (kind: string, key: string) => Iterable<string> | undefined;
  readonly log?: NotifyLog;
}

/**
 * Passes objects and messages on between a parent and children, as the bytes that came: nothing is decoded. A kind is
 * served once it was in step for the first time; through disconnects the children keep what the relay has. Relays may
 * stand below relays. Call it before the client starts.
 */
export function relay(options: RelayOptions): void {
  const { client, hub, scopesOf, scopeOf, log } = options;
  for (const kind of options.down) {
    client.replica(kind).subscribe({
      update: (key, value, _old, { traceparent }) =>
        void hub.publish(kind, key, value, { scopes: scopesOf?.(kind, key), traceparent }),
      remove: (key) => void hub.publish(kind, key, undefined),
      inStep: () => hub.markReady(kind),
    });
  }
  for (const kind of options.up ?? []) {
    const own = client.own(kind);
    hub.onOwned(kind, {
      update: (key, value, _child, { traceparent }) => own.put(key, value, { traceparent }),
      remove: (key) => own.delete(key),
    }, scopeOf && { scopeOf: (key) => scopeOf(kind, key) });
  }
  for (const type of options.messagesDown ?? []) {
    client.onMessage(type, (value, meta) => {
      const to = addressOf(meta);
      if (to) hub.send(type, value, to, meta);
      else log?.("warn", "A message has an address that cannot be read", { type });
    });
  }
  for (const type of options.messagesUp ?? []) {
    hub.onMessage(type, (value, _child, { correlation, traceparent }) => {
      // What the queue does not take is counted by the client.
      client.send(type, value, { correlation, traceparent });
    });
  }
}

function addressOf({ address }: MessageMeta): MessageAddress | undefined {
  try {
    const to: unknown = JSON.parse(address);
    return typeof to === "object" && to !== null ? to : undefined;
  } catch {
    return undefined;
  }
}
