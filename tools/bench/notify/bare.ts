import { type Method, rawBytes } from "../../../shared/rpc/mod.ts";

/** A stream of bytes both ways and nothing else: the floor that notify is held against. */
export interface BareApi {
  readonly name: string;
  readonly methods: {
    readonly stream: Method<Uint8Array, Uint8Array> & { readonly requestStream: true; readonly responseStream: true };
  };
}

/** One stream of bytes both ways, the floor of the figures. */
export const bareApi: BareApi = {
  name: "bench.Bare",
  methods: {
    stream: {
      path: "/bench.Bare/Stream",
      requestStream: true,
      responseStream: true,
      input: rawBytes,
      output: rawBytes,
    },
  },
};

/** What the first message of a bare stream asks for: so many messages of a size at once, or each push from now on. */
export interface BareRequest {
  readonly messages: number;
  readonly bytes: number;
}
