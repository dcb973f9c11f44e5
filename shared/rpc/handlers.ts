import type { CallContext } from "./context.ts";
import type { Input, Output, Service } from "./method.ts";

/** The function that serves a method, by whether requests and responses are streams. */
export type Handler<M> = M extends { readonly requestStream: true; readonly responseStream: true }
  ? (requests: AsyncIterable<Input<M>>, context: CallContext) => AsyncIterable<Output<M>>
  : M extends { readonly requestStream: true }
    ? (requests: AsyncIterable<Input<M>>, context: CallContext) => Output<M> | Promise<Output<M>>
  : M extends { readonly responseStream: true } ? (request: Input<M>, context: CallContext) => AsyncIterable<Output<M>>
  : (request: Input<M>, context: CallContext) => Output<M> | Promise<Output<M>>;

/** Handlers of a service; a method without one answers UNIMPLEMENTED. */
export type Handlers<S extends Service> = { [M in keyof S["methods"]]?: Handler<S["methods"][M]> };

/** Any handler, as the server keeps it. */
export type AnyHandler = (input: unknown, context: CallContext) => unknown;
