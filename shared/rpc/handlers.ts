import type { CallContext } from "./context.ts";
import type { MessageBatch } from "./message_batch.ts";
import type { Input, Output, Service } from "./method.ts";

/** What the handler of a response stream yields: a message, or several that are encoded already. */
export type ResponseItem<M> = Output<M> | MessageBatch;

/** The function that serves a method, by whether requests and responses are streams. */
export type Handler<M> = M extends { readonly requestStream: true; readonly responseStream: true }
  ? (requests: AsyncIterable<Input<M>>, context: CallContext) => AsyncIterable<ResponseItem<M>>
  : M extends { readonly requestStream: true }
    ? (requests: AsyncIterable<Input<M>>, context: CallContext) => Output<M> | Promise<Output<M>>
  : M extends { readonly responseStream: true }
    ? (request: Input<M>, context: CallContext) => AsyncIterable<ResponseItem<M>>
  : (request: Input<M>, context: CallContext) => Output<M> | Promise<Output<M>>;

/** Handlers of a service; a method without one answers UNIMPLEMENTED. */
export type Handlers<S extends Service> = { [M in keyof S["methods"]]?: Handler<S["methods"][M]> };

/** Any handler, as the server keeps it. */
export type AnyHandler = (input: unknown, context: CallContext) => unknown;
