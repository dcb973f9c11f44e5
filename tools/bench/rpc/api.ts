import { type Method, rawBytes } from "../../../shared/rpc/mod.ts";

/** Bytes of a unary request and of its answer. */
export const UNARY_BYTES = 700;
/** Bytes of a small message: what one change of an object takes. */
export const SMALL_BYTES = 110;
/** Bytes of a large message. */
export const LARGE_BYTES = 65_536;

type Unary = Method<Uint8Array, Uint8Array> & { readonly requestStream: false; readonly responseStream: false };
type Stream = Method<Uint8Array, Uint8Array> & { readonly requestStream: false; readonly responseStream: true };

/** What every server of the benchmark serves: bytes, nothing encoded. */
export interface BenchApi {
  readonly name: string;
  readonly methods: { readonly unary: Unary; readonly stream: Stream; readonly watch: Stream };
}

/** Its definition. */
export const benchApi: BenchApi = {
  name: "bench.Bench",
  methods: {
    /** Answers {@linkcode UNARY_BYTES} to anything. */
    unary: {
      path: "/bench.Bench/Unary",
      requestStream: false,
      responseStream: false,
      input: rawBytes,
      output: rawBytes,
    },
    /** Sends what an {@linkcode encodeOrder} asks for. */
    stream: {
      path: "/bench.Bench/Stream",
      requestStream: false,
      responseStream: true,
      input: rawBytes,
      output: rawBytes,
    },
    /** Sends one small message at once, then every one that is pushed. */
    watch: {
      path: "/bench.Bench/Watch",
      requestStream: false,
      responseStream: true,
      input: rawBytes,
      output: rawBytes,
    },
  },
};

/** So many messages of a size; no messages at all means: wait for pushes. */
export interface Order {
  readonly messages: number;
  readonly bytes: number;
}

/** Octets of an order on the wire. */
const ORDER_BYTES = 8;

/** An order as eight octets. */
export function encodeOrder({ messages, bytes }: Order): Uint8Array {
  const order = new Uint8Array(ORDER_BYTES);
  const view = new DataView(order.buffer);
  view.setUint32(0, messages);
  view.setUint32(4, bytes);
  return order;
}

/** The order in eight octets. */
export function decodeOrder(order: Uint8Array): Order {
  const view = new DataView(order.buffer, order.byteOffset);
  return { messages: view.getUint32(0), bytes: view.getUint32(4) };
}

/** Which server to start, and whether it asks for client certificates. */
export interface ServerKind {
  readonly kind: "ours" | "grpc-js" | "bare";
  readonly mutual: boolean;
}
