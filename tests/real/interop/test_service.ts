import protobuf from "protobufjs";
import {
  type CallContext,
  type Codec,
  type Handlers,
  Metadata,
  type Method,
  RpcError,
  Status,
} from "../../../shared/rpc/mod.ts";

/** Messages of grpc.testing, as far as the interoperability cases without credentials use them. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  package grpc.testing;
  message Empty {}
  message BoolValue { bool value = 1; }
  message Payload { int32 type = 1; bytes body = 2; }
  message EchoStatus { int32 code = 1; string message = 2; }
  message SimpleRequest {
    int32 response_type = 1;
    int32 response_size = 2;
    Payload payload = 3;
    BoolValue response_compressed = 6;
    EchoStatus response_status = 7;
    BoolValue expect_compressed = 8;
    bool fill_server_id = 9;
  }
  message SimpleResponse { Payload payload = 1; string server_id = 4; }
  message StreamingInputCallRequest { Payload payload = 1; BoolValue expect_compressed = 2; }
  message StreamingInputCallResponse { int32 aggregated_payload_size = 1; }
  message ResponseParameters { int32 size = 1; int32 interval_us = 2; BoolValue compressed = 3; }
  message StreamingOutputCallRequest {
    int32 response_type = 1;
    repeated ResponseParameters response_parameters = 2;
    Payload payload = 3;
    EchoStatus response_status = 7;
  }
  message StreamingOutputCallResponse { Payload payload = 1; }
`);

interface Flag {
  value?: boolean;
}
interface Payload {
  body?: Uint8Array;
}
interface EchoStatus {
  code?: number;
  message?: string;
}
type Empty = Record<never, never>;
interface SimpleRequest {
  responseSize?: number;
  payload?: Payload;
  responseCompressed?: Flag;
  responseStatus?: EchoStatus;
  expectCompressed?: Flag;
  fillServerId?: boolean;
}
interface SimpleResponse {
  payload?: Payload;
  serverId?: string;
}
interface InputRequest {
  payload?: Payload;
  expectCompressed?: Flag;
}
interface InputResponse {
  aggregatedPayloadSize?: number;
}
interface ResponseParameters {
  size?: number;
  intervalUs?: number;
  compressed?: Flag;
}
interface OutputRequest {
  responseParameters?: ResponseParameters[];
  payload?: Payload;
  responseStatus?: EchoStatus;
}
interface OutputResponse {
  payload?: Payload;
}

function codec<T extends object>(name: string): Codec<T> {
  const type = root.lookupType(`grpc.testing.${name}`);
  return {
    encode: (value) => type.encode(type.create(value)).finish(),
    decode: (bytes) => type.decode(bytes) as unknown as T,
  };
}

type Shape<I, O, Q extends boolean, R extends boolean> = Method<I, O> & {
  readonly requestStream: Q;
  readonly responseStream: R;
};

function method<I extends object, O extends object, Q extends boolean, R extends boolean>(
  name: string,
  input: string,
  output: string,
  requestStream: Q,
  responseStream: R,
): Shape<I, O, Q, R> {
  const path = `/grpc.testing.${name}`;
  return { path, requestStream, responseStream, input: codec<I>(input), output: codec<O>(output) };
}

const OUTPUT = ["StreamingOutputCallRequest", "StreamingOutputCallResponse"] as const;

/** The test service that gRPC's implementations call on each other. */
export const TestService = {
  name: "grpc.testing.TestService",
  methods: {
    emptyCall: method<Empty, Empty, false, false>("TestService/EmptyCall", "Empty", "Empty", false, false),
    unaryCall: method<SimpleRequest, SimpleResponse, false, false>(
      "TestService/UnaryCall",
      "SimpleRequest",
      "SimpleResponse",
      false,
      false,
    ),
    streamingOutputCall: method<OutputRequest, OutputResponse, false, true>(
      "TestService/StreamingOutputCall",
      ...OUTPUT,
      false,
      true,
    ),
    streamingInputCall: method<InputRequest, InputResponse, true, false>(
      "TestService/StreamingInputCall",
      "StreamingInputCallRequest",
      "StreamingInputCallResponse",
      true,
      false,
    ),
    fullDuplexCall: method<OutputRequest, OutputResponse, true, true>(
      "TestService/FullDuplexCall",
      ...OUTPUT,
      true,
      true,
    ),
    halfDuplexCall: method<OutputRequest, OutputResponse, true, true>(
      "TestService/HalfDuplexCall",
      ...OUTPUT,
      true,
      true,
    ),
    unimplementedCall: method<Empty, Empty, false, false>(
      "TestService/UnimplementedCall",
      "Empty",
      "Empty",
      false,
      false,
    ),
  },
} as const;

/** A service that nobody serves. */
export const UnimplementedService = {
  name: "grpc.testing.UnimplementedService",
  methods: {
    unimplementedCall: method<Empty, Empty, false, false>(
      "UnimplementedService/UnimplementedCall",
      "Empty",
      "Empty",
      false,
      false,
    ),
  },
} as const;

/** Metadata that a server sends back, as headers and as trailers. */
export const ECHO_HEADER = "x-grpc-test-echo-initial";
export const ECHO_TRAILER = "x-grpc-test-echo-trailing-bin";

/** What the test service does. */
export const testHandlers: Handlers<typeof TestService> = {
  emptyCall: () => ({}),
  unaryCall(request, context) {
    expectCompressed(request.expectCompressed, context);
    if (request.responseCompressed?.value === true) context.compress = true;
    echoMetadata(context);
    echoStatus(request.responseStatus);
    return { payload: payloadOf(request.responseSize), serverId: request.fillServerId ? "archipelago" : undefined };
  },
  async *streamingOutputCall(request, context) {
    yield* outputs(request, context);
  },
  async streamingInputCall(requests, context) {
    let aggregatedPayloadSize = 0;
    for await (const { payload, expectCompressed: flag } of requests) {
      expectCompressed(flag, context);
      aggregatedPayloadSize += payload?.body?.length ?? 0;
    }
    return { aggregatedPayloadSize };
  },
  async *fullDuplexCall(requests, context) {
    echoMetadata(context);
    for await (const request of requests) {
      echoStatus(request.responseStatus);
      yield* outputs(request, context);
    }
  },
  async *halfDuplexCall(requests, context) {
    const all: OutputRequest[] = [];
    for await (const request of requests) all.push(request);
    for (const request of all) yield* outputs(request, context);
  },
};

async function* outputs(request: OutputRequest, context: CallContext): AsyncGenerator<OutputResponse> {
  for (const { size, intervalUs, compressed } of request.responseParameters ?? []) {
    if (intervalUs) await new Promise((resolve) => setTimeout(resolve, intervalUs / 1_000));
    context.compress = compressed?.value === true;
    yield { payload: payloadOf(size) };
  }
}

function payloadOf(size = 0): Payload {
  if (size < 0) throw new RpcError(Status.INVALID_ARGUMENT, `A payload of ${size} bytes was asked for`);
  return { body: new Uint8Array(size) };
}

function expectCompressed(flag: Flag | undefined, context: CallContext): void {
  if (flag?.value === true && context.requestEncoding !== "gzip") {
    throw new RpcError(Status.INVALID_ARGUMENT, "A compressed request was announced, and is none");
  }
}

function echoStatus(status: EchoStatus | undefined): void {
  if (status?.code) throw new RpcError(status.code as Status, status.message ?? "");
}

function echoMetadata(context: CallContext): void {
  const header = context.metadata.get(ECHO_HEADER);
  const trailer = context.metadata.get(ECHO_TRAILER);
  if (trailer !== undefined) context.trailers.set(ECHO_TRAILER, trailer);
  if (header !== undefined) context.sendHeaders(new Metadata([[ECHO_HEADER, header]]));
}
