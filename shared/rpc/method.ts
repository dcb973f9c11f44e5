/** Turns messages into bytes and back. */
export interface Codec<T> {
  /** @throws when the value cannot be encoded. */
  encode(value: T): Uint8Array;
  /** @throws when the bytes are not a message of this type. */
  decode(bytes: Uint8Array): T;
}

/** One method of a service. The two flags must be literal types, so that handlers and clients are typed from them. */
export interface Method<I, O> {
  /** Request path, e.g. `/archipelago.AppApi/CreateApp`. */
  readonly path: string;
  /** Whether the client sends a stream. */
  readonly requestStream: boolean;
  /** Whether the server sends a stream. */
  readonly responseStream: boolean;
  /** Codec of requests. */
  readonly input: Codec<I>;
  /** Codec of responses. */
  readonly output: Codec<O>;
}

/** A named group of methods; fits what the schema generates. */
export interface Service {
  /** Full name, e.g. `archipelago.AppApi`. */
  readonly name: string;
  /** The methods under their names in code. */
  readonly methods: { readonly [name: string]: Method<unknown, unknown> };
}

/** Request type of a method. */
export type Input<M> = M extends Method<infer I, unknown> ? I : never;
/** Response type of a method. */
export type Output<M> = M extends { readonly output: Codec<infer O> } ? O : never;

/** Codec that hands bytes on as they are, for relays and objects that are encoded already. */
export const rawBytes: Codec<Uint8Array> = {
  encode: (value) => value,
  decode: (bytes) => bytes,
};
