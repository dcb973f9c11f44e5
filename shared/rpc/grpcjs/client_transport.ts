import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  connectivityState,
  credentials,
  type StatusObject,
} from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { checkServerIdentity as nodeCheckServerIdentity, type PeerCertificate } from "node:tls";
import { RpcError } from "../error.ts";
import { Status, toStatus } from "../status.ts";
import { chainOf, type DetailedCertificate } from "../tls_chain.ts";
import type {
  CallEnd,
  ChannelState,
  ChannelTls,
  ClientTransport,
  ConnectOptions,
  OutgoingCall,
  StartOptions,
  TransportChannel,
} from "../transport.ts";
import { Metadata } from "../metadata.ts";
import { fromGrpc, fromGrpcTrailers, passBytes, toGrpc } from "./convert.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** gRPC client over @grpc/grpc-js. */
export const grpcJsClientTransport: ClientTransport = { name: "grpc-js", connect };

/** The library calls a write to a connection that has just been lost an internal error. */
const LOST_CONNECTION = /internal client error: .*(EPIPE|ECONNRESET|ECONNABORTED|socket)/;

/** Name sent in the handshake for a host that is an IP address, which the runtime refuses to take as a name. */
const IP_SERVER_NAME = "ip.invalid";

/** One of the library's clients and the calls that still run on it. */
interface Link {
  readonly client: Client;
  readonly calls: Set<OutgoingCall>;
  retired: boolean;
}

function connect(options: ConnectOptions): TransportChannel {
  let link = open(options.tls);
  let closed = false;
  const links = new Set([link]);

  function open(tls: ChannelTls | undefined): Link {
    const serverName = tls && (tls.serverName ?? (isIP(hostOf(options.address)) ? IP_SERVER_NAME : undefined));
    const client = new Client(options.address, credentialsOf(tls, hostOf(options.address)), {
      "grpc.max_receive_message_length": options.maxMessageBytes,
      "grpc.max_send_message_length": -1,
      "grpc.keepalive_time_ms": options.keepaliveMs,
      "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs,
      "grpc.initial_reconnect_backoff_ms": options.backoffInitialMs,
      "grpc.max_reconnect_backoff_ms": options.backoffMaxMs,
      "grpc.enable_retries": 0,
      "grpc.enable_http_proxy": 0,
      "grpc.service_config_disable_resolution": 1,
      // Each channel has its own connection: channels differ in what they trust.
      "grpc.use_local_subchannel_pool": 1,
      ...(serverName === undefined ? {} : {
        "grpc.ssl_target_name_override": serverName,
        "grpc.default_authority": options.address,
      }),
    });
    return { client, calls: new Set(), retired: false };
  }

  function release(used: Link): void {
    if (used.retired && used.calls.size === 0) {
      used.client.close();
      links.delete(used);
    }
  }

  function start(path: string, startOptions: StartOptions): OutgoingCall {
    if (closed) return refused();
    const used = link;
    const call = startOn(used.client, path, startOptions);
    used.calls.add(call);
    call.ended.then(() => {
      used.calls.delete(call);
      release(used);
    });
    return call;
  }

  return {
    start,
    state: () => closed ? "closed" : stateOf(link.client),
    updateTls(tls) {
      if (closed) return;
      const old = link;
      link = open(tls);
      links.add(link);
      old.retired = true;
      release(old);
    },
    close() {
      closed = true;
      for (const { client, calls } of links) {
        for (const call of calls) call.cancel(new RpcError(Status.CANCELLED, "The channel was closed"));
        client.close();
      }
      links.clear();
    },
  };
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

function credentialsOf(tls: ChannelTls | undefined, host: string): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const { verifyPeer, serverName } = tls;
  const checkServerIdentity = (_name: string, certificate: PeerCertificate): Error | undefined => {
    if (!verifyPeer) return nodeCheckServerIdentity(serverName ?? host, certificate);
    try {
      verifyPeer(chainOf(certificate as DetailedCertificate));
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
  return credentials.createSsl(
    Buffer.from(tls.ca),
    tls.key === undefined ? null : Buffer.from(tls.key),
    tls.cert === undefined ? null : Buffer.from(tls.cert),
    { checkServerIdentity: (name, certificate) => checkServerIdentity(name, certificate as PeerCertificate) },
  );
}

function stateOf(client: Client): ChannelState {
  const state = client.getChannel().getConnectivityState(false);
  switch (state) {
    case connectivityState.IDLE:
      return "idle";
    case connectivityState.CONNECTING:
      return "connecting";
    case connectivityState.READY:
      return "ready";
    case connectivityState.TRANSIENT_FAILURE:
      return "failing";
    default:
      return "closed";
  }
}

function refused(): OutgoingCall {
  const end = { code: Status.UNAVAILABLE, message: "The channel is closed", trailers: new Metadata() };
  return { write() {}, halfClose() {}, read: () => undefined, ended: Promise.resolve(end), cancel() {} };
}

function startOn(client: Client, path: string, options: StartOptions): OutgoingCall {
  const stream: ClientDuplexStream<Uint8Array, Uint8Array> = client.makeBidiStreamRequest(
    path,
    passBytes,
    (bytes: Buffer): Uint8Array => bytes,
    toGrpc(options.metadata, undefined, { waitForReady: options.waitForReady }),
    { deadline: options.deadline },
  );
  const reader = new Reader(stream);
  const writer = new Writer(stream);
  const { promise: ended, resolve } = Promise.withResolvers<CallEnd>();
  let reason: RpcError | undefined;
  stream.on("metadata", (metadata) => options.onHeaders(fromGrpc(metadata)));
  // The status event tells all; an unheard error event would end the process.
  stream.on("error", () => {});
  stream.on("status", (status: StatusObject) => {
    writer.stop();
    reader.stop();
    resolve(
      reason ? endOf(reason) : {
        code: LOST_CONNECTION.test(status.details) ? Status.UNAVAILABLE : toStatus(status.code),
        message: status.details,
        ...fromGrpcTrailers(status.metadata),
      },
    );
  });
  return {
    write: (message) => writer.write(message),
    halfClose: () => {
      if (!writer.over) stream.end();
    },
    read: () => reader.read(),
    ended,
    cancel(why) {
      if (writer.over) return;
      reason ??= why;
      stream.cancel();
    },
  };
}

function endOf(error: RpcError): CallEnd {
  return { code: error.code, message: error.message, details: error.details, trailers: error.metadata };
}
