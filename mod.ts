/**
 * What a program outside the platform imports: the objects and calls of the schema, typed gRPC clients for them, replication,
 * the contract of infrastructure plugins, and the device SDK.
 *
 * ```ts ignore
 * import { createChannel, createClient, dme } from "@archipelago/archipelago";
 *
 * const channel = createChannel({ address: "dme.example:50051", tls: { ca } });
 * const engine = createClient(dme.MatchEngineApi, channel, { timeoutMs: 10_000 });
 * const { sessionCookie } = await engine.registerClient(
 *   dme.RegisterClientRequest.create({ orgName: "acme", appName: "echo", appVers: "1.0" }),
 * );
 * ```
 *
 * @module
 */
export * from "./shared/schema/mod.ts";
export {
  type CallOptions,
  type Channel,
  type ChannelOptions,
  type Client,
  createChannel,
  createClient,
  Metadata,
  RpcError,
  Status,
} from "./shared/rpc/mod.ts";
export * as notify from "./shared/notify/mod.ts";
export * as platform from "./shared/platform/mod.ts";
export * as device from "./sdk/device/mod.ts";
