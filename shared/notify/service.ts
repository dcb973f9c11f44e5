import { type Codec, type Method, rawBytes } from "../rpc/mod.ts";
import { NotifyApi } from "../schema/mod.ts";

/** The replication stream as bytes: frames are made and read by this library, objects in them are encoded once. */
export interface RawNotifyApi {
  readonly name: string;
  readonly methods: {
    readonly streamNotice: Method<Uint8Array, Uint8Array> & {
      readonly requestStream: true;
      readonly responseStream: true;
    };
  };
}

const bytes: Codec<Uint8Array> = rawBytes;

/** {@linkcode RawNotifyApi} under the schema's names. */
export const rawNotifyApi: RawNotifyApi = {
  name: NotifyApi.name,
  methods: { streamNotice: { ...NotifyApi.methods.streamNotice, input: bytes, output: bytes } },
};
