import type { HubStream } from "./hub_stream.ts";

/** What the children of one service have cost a hub since it was made, streams that have ended included. */
export interface Traffic {
  /** Streams that were let in: what grows beyond the number of children are reconnects. */
  readonly connects: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Messages that found their stream's queue full. */
  readonly droppedMessages: number;
}

const NONE: Traffic = { connects: 0, sentBytes: 0, receivedBytes: 0, droppedMessages: 0 };

/** Adds what a stream has carried so far to the traffic of its service. Streams of nobody count nowhere. */
export function addTraffic(services: Map<string, Traffic>, { child, sender, received }: HubStream): void {
  if (!child || !sender) return;
  const before = services.get(child.service) ?? NONE;
  services.set(child.service, {
    connects: before.connects + 1,
    sentBytes: before.sentBytes + sender.sent.bytes,
    receivedBytes: before.receivedBytes + received.bytes,
    droppedMessages: before.droppedMessages + sender.lane.dropped,
  });
}
