/**
 * Replication between a parent and its children: state by kinds, what children own, messages.
 * @module
 */
export { Arena, type ByteRange } from "./arena.ts";
export type { Admission, AdmissionRefusal, AdmissionRules } from "./admission.ts";
export type { BackoffOptions } from "./backoff.ts";
export {
  createNotifyClient,
  type KindFilter,
  type NotifyClient,
  type NotifyClientInfo,
  type NotifyClientOptions,
  type NotifyState,
  type Owned,
  roundRobin,
} from "./client.ts";
export { encodeCounter } from "./frame.ts";
export {
  type AskOptions,
  createGatherer,
  type GatherAnswer,
  type Gathered,
  type GatheredReply,
  type Gatherer,
  type GatherOptions,
  type GatherTarget,
  type NodeName,
} from "./gather.ts";
export type { HelloInfo } from "./hello.ts";
export {
  createNotifyHub,
  type NotifyHub,
  type NotifyHubOptions,
  type OwnedOptions,
  type PublishOptions,
  type StreamInfo,
} from "./hub.ts";
export type { ChildEvent, MessageAddress, MessageMeta, MessageOptions } from "./hub_core.ts";
export * from "./limits.ts";
export type { ChildInfo, OwnedHandler, RemovalReason } from "./owned_table.ts";
export type { NotifyClock, NotifyLog } from "./ports.ts";
export { relay, type RelayOptions } from "./relay.ts";
export type { ChangeMeta, Replica, ReplicaListener } from "./replica.ts";
export { type RawNotifyApi, rawNotifyApi } from "./service.ts";
export {
  type NotifyKind,
  onOwnedObject,
  publishObject,
  retractObject,
  type TypedListener,
  type TypedOwned,
  typedOwned,
  type TypedOwnedHandler,
  type TypedReplica,
  typedReplica,
} from "./typed.ts";
export type { Traffic } from "./traffic.ts";
export { type ByService, type HubMetrics, hubMetrics, type HubView, type StreamView, viewHub } from "./view.ts";
