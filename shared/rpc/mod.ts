/**
 * gRPC servers and clients of ours, independent of what carries them.
 * @module
 */
export { type Channel, type ChannelOptions, createChannel } from "./channel.ts";
export { type Caller, type CallOptions, type Client, type ClientDefaults, createClient } from "./client.ts";
export { type RpcClock, systemRpcClock } from "./clock.ts";
export type { CallContext, ClientInterceptor, OutgoingContext, Peer, ServerInterceptor } from "./context.ts";
export { RpcError, type RpcErrorOptions } from "./error.ts";
export { h2ClientTransport, h2ServerTransport, HandshakeRefusedError } from "./h2/mod.ts";
export type { Handler, Handlers, ResponseItem } from "./handlers.ts";
export {
  addHealth,
  type Health,
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthService,
  ServingStatus,
} from "./health.ts";
export { authenticate } from "./interceptors/authenticate.ts";
export { type CallRecord, logCalls } from "./interceptors/log_calls.ts";
export { mapErrors } from "./interceptors/map_errors.ts";
export { type CallSpan, traceClient, traceServer } from "./interceptors/trace.ts";
export * from "./limits.ts";
export { MessageBatch } from "./message_batch.ts";
export { Metadata, type MetadataInit, type MetadataValue, type ValueOf } from "./metadata.ts";
export { type Codec, type Input, type Method, type Output, rawBytes, type Service } from "./method.ts";
export {
  addReflection,
  type ProtoFile,
  type ReflectionService,
  ReflectionV1,
  ReflectionV1Alpha,
} from "./reflection/mod.ts";
export { createServer, type RpcServer, type ServerOptions, type ServiceOptions } from "./server.ts";
export { Status, statusName, toStatus } from "./status.ts";
export { chainOf, type DetailedCertificate } from "./tls_chain.ts";
export type {
  CallEnd,
  ChannelState,
  ChannelTls,
  ClientTransport,
  ConnectOptions,
  IncomingCall,
  ListenAddress,
  OutgoingCall,
  ServeOptions,
  ServerLimits,
  ServerTls,
  ServerTransport,
  StartOptions,
  TransportChannel,
  TransportServer,
} from "./transport.ts";
