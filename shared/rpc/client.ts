import type { Channel } from "./channel.ts";
import { ClientCall, type ClientDefaults } from "./client_call.ts";
import type { Input, Method, Output, Service } from "./method.ts";
import type { CallOptions } from "./client_call.ts";

/** The function that calls a method, by whether requests and responses are streams. */
export type Caller<M> = M extends { readonly requestStream: true; readonly responseStream: true }
  ? (requests: AsyncIterable<Input<M>>, options?: CallOptions) => AsyncIterable<Output<M>>
  : M extends { readonly requestStream: true }
    ? (requests: AsyncIterable<Input<M>>, options?: CallOptions) => Promise<Output<M>>
  : M extends { readonly responseStream: true } ? (request: Input<M>, options?: CallOptions) => AsyncIterable<Output<M>>
  : (request: Input<M>, options?: CallOptions) => Promise<Output<M>>;

/** One function for each method of a service. Leaving the loop over a response stream early cancels the call. */
export type Client<S extends Service> = { readonly [M in keyof S["methods"]]: Caller<S["methods"][M]> };

/** Makes the functions that call a service over a channel. */
export function createClient<S extends Service>(
  service: S,
  channel: Channel,
  defaults: ClientDefaults = {},
): Client<S> {
  const client: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(service.methods)) client[name] = caller(method, channel, defaults);
  return client as Client<S>;
}

function caller(method: Method<unknown, unknown>, channel: Channel, defaults: ClientDefaults): unknown {
  return (input: unknown, options: CallOptions = {}) => {
    const call = new ClientCall(method, channel, defaults, options);
    return method.responseStream ? call.stream(input) : call.single(input);
  };
}

export type { CallOptions, ClientDefaults };
