import type { NotifyHub, StreamInfo } from "./hub.ts";
import type { Traffic } from "./traffic.ts";

/** One stream as people look at it. */
export interface StreamView {
  readonly name: string;
  readonly service: string;
  /** Key string of the cloudlet; empty for services of other tiers. */
  readonly cloudlet: string;
  readonly address: string;
  readonly connectedSeconds: number;
  /** Times that it has come back. */
  readonly reconnects: number;
  readonly inStep: boolean;
  /** Revisions that it is behind, over all kinds. */
  readonly lag: number;
  /** Kinds that are behind, with their revisions. */
  readonly behind: Readonly<Record<string, number>>;
  readonly queuedMessages: number;
  readonly droppedMessages: number;
  readonly sentBytes: number;
  readonly sentEntries: number;
  readonly receivedBytes: number;
  readonly receivedEntries: number;
  readonly snapshots: number;
  readonly resumes: number;
}

/** A hub and its streams as people look at them. */
export interface HubView {
  readonly epoch: string;
  readonly streams: readonly StreamView[];
}

/** Looks at a hub. @param now ms since 1970. */
export function viewHub(hub: NotifyHub, now: number): HubView {
  return {
    epoch: hub.epoch,
    streams: hub.streams().map((stream) => viewStream(stream, now))
      .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  };
}

function viewStream(stream: StreamInfo, now: number): StreamView {
  const { child, kinds, queuedMessages, droppedMessages, snapshots, resumes } = stream;
  const behind = kinds.filter((kind) => !kind.inStep);
  return {
    name: child.name,
    service: child.service,
    cloudlet: child.scope ?? child.cloudlet,
    address: child.address,
    connectedSeconds: Math.max(0, Math.round((now - stream.connectedAt) / 1_000)),
    reconnects: stream.connects - 1,
    inStep: behind.length === 0,
    lag: behind.reduce((sum, kind) => sum + kind.lag, 0),
    behind: Object.fromEntries(behind.map(({ kind, lag }) => [kind, lag])),
    queuedMessages,
    droppedMessages,
    sentBytes: stream.sentBytes,
    sentEntries: stream.sentEntries,
    receivedBytes: stream.receivedBytes,
    receivedEntries: stream.receivedEntries,
    snapshots,
    resumes,
  };
}

/** A value for each service. */
export type ByService = readonly [{ service: string }, number][];

/** What a hub has to show for metrics. */
export interface HubMetrics {
  /** Streams that are up, by service. */
  readonly streams: ByService;
  /** Largest lag of a stream in revisions, by service. */
  readonly lag: ByService;
  /** Messages waiting, by service. */
  readonly queued: ByService;
  /** Streams so far; this and what follows only grow. */
  readonly connects: ByService;
  readonly sentBytes: ByService;
  readonly receivedBytes: ByService;
  readonly droppedMessages: ByService;
}

/** Sums the streams of a hub up by service: a label for each child would be without bound. */
export function hubMetrics(hub: NotifyHub): HubMetrics {
  const streams = new Map<string, number>();
  const lag = new Map<string, number>();
  const queued = new Map<string, number>();
  for (const { child: { service }, kinds, queuedMessages } of hub.streams()) {
    streams.set(service, (streams.get(service) ?? 0) + 1);
    lag.set(service, Math.max(lag.get(service) ?? 0, ...kinds.map((kind) => kind.lag)));
    queued.set(service, (queued.get(service) ?? 0) + queuedMessages);
  }
  const traffic = [...hub.traffic()];
  const rows = (values: Iterable<readonly [string, number]>): ByService =>
    [...values].map(([service, value]) => [{ service }, value]);
  const carried = (what: keyof Traffic) => rows(traffic.map(([service, each]) => [service, each[what]]));
  return {
    streams: rows(streams),
    lag: rows(lag),
    queued: rows(queued),
    connects: carried("connects"),
    sentBytes: carried("sentBytes"),
    receivedBytes: carried("receivedBytes"),
    droppedMessages: carried("droppedMessages"),
  };
}
