import { type RpcClock, systemRpcClock } from "./clock.ts";
import type { CallContext, ServerInterceptor } from "./context.ts";
import { h2ServerTransport } from "./h2/mod.ts";
import type { AnyHandler, Handlers } from "./handlers.ts";
import { defaultServerLimits } from "./limits.ts";
import { Metadata } from "./metadata.ts";
import { type Codec, rawBytes, type Service } from "./method.ts";
import { type Route, runCall, ServerCall } from "./server_call.ts";
import { Status } from "./status.ts";
import type { IncomingCall, ListenAddress, ServerLimits, ServerTls, ServerTransport } from "./transport.ts";

/** Time for the last answers to leave after the last call of a drained server has ended, ms. */
const FLUSH_MS = 1_000;

/** How a server is made. */
export interface ServerOptions {
  /** Without it the server speaks plaintext. */
  tls?: ServerTls;
  /** Around every call, outermost first. */
  interceptors?: readonly ServerInterceptor[];
  limits?: Partial<ServerLimits>;
  /** Whether responses are compressed with gzip for callers that take it; a handler decides otherwise. @default false */
  compress?: boolean;
  /** Told of unexpected errors: of handlers (with their context) and of connections (without). */
  onError?: (error: unknown, context: CallContext | undefined) => void;
  /** @default the transport that the project has settled on */
  transport?: ServerTransport;
  clock?: RpcClock;
}

/** How one service is added. */
export interface ServiceOptions<S extends Service> {
  /** Codecs that stand in for those of the definition, e.g. `rawBytes`. */
  codecs?: { [M in keyof S["methods"]]?: { input?: Codec<never>; output?: Codec<never> } };
  /** Around the calls of this service, inside those of the server. */
  interceptors?: readonly ServerInterceptor[];
}

/** A gRPC server. */
export interface RpcServer {
  /** Adds a service, before or after `listen`. @throws {Error} when a path is already served. */
  addService<S extends Service>(service: S, handlers: Handlers<S>, options?: ServiceOptions<S>): void;
  /** Listens on one more address. @throws when it cannot be bound. */
  listen(where: ListenAddress): Promise<ListenAddress>;
  /** New connections use the new key and certificates. */
  updateTls(tls: ServerTls): void;
  /** Refuses new connections and calls (UNAVAILABLE), waits up to `graceMs` for calls and handlers, then cuts. */
  drain(graceMs: number): Promise<void>;
  /** Cuts everything at once. */
  close(): Promise<void>;
  /** Calls that have not ended, and handlers that still work though their caller has gone. */
  readonly activeCalls: number;
  /** Full names of the services added. */
  readonly services: readonly string[];
}

/** Where calls of paths that nobody serves end: UNIMPLEMENTED, like methods without a handler. */
const UNKNOWN: Route = {
  requestStream: false,
  responseStream: false,
  input: rawBytes,
  output: rawBytes,
  handler: undefined,
  interceptors: [],
};

/** Makes a server; it listens when told to. */
export function createServer(options: ServerOptions = {}): RpcServer {
  const clock = options.clock ?? systemRpcClock;
  const onError = guarded(options.onError);
  const routes = new Map<string, Route>();
  const services: string[] = [];
  const interceptors = options.interceptors ?? [];
  const idle = new Set<() => void>();
  let active = 0;
  let draining = false;

  function left(): void {
    active--;
    if (active === 0) { for (const wake of idle) wake(); }
  }

  function onCall(incoming: IncomingCall): void | Promise<void> {
    if (draining) {
      const trailers = new Metadata();
      incoming.finish({ code: Status.UNAVAILABLE, message: "The server is shutting down", trailers });
      return;
    }
    // Interceptors judge the caller first: which methods there are is not for everybody.
    const route = routes.get(incoming.path) ?? UNKNOWN;
    active++;
    return run(new ServerCall(incoming, clock, options.compress ?? false), route);
  }

  async function run(call: ServerCall, route: Route): Promise<void> {
    await runCall(call, route, interceptors, onError);
    // A handler may work on when its caller has gone.
    if (call.work) await call.work;
    left();
  }

  const server = (options.transport ?? h2ServerTransport).serve({
    tls: options.tls,
    limits: { ...defaultServerLimits, ...options.limits },
    clock,
    onCall,
    onError: (error) => onError(error, undefined),
  });

  return {
    addService(service, handlers, serviceOptions = {}) {
      for (const [name, method] of Object.entries(service.methods)) {
        if (routes.has(method.path)) throw new Error(`Path ${method.path} is already served`);
        const codecs = serviceOptions.codecs?.[name];
        routes.set(method.path, {
          requestStream: method.requestStream,
          responseStream: method.responseStream,
          input: codecs?.input as Codec<unknown> | undefined ?? method.input,
          output: codecs?.output as Codec<unknown> | undefined ?? method.output,
          handler: handlers[name] as AnyHandler | undefined,
          interceptors: serviceOptions.interceptors ?? [],
        });
        server.addMethod(method.path);
      }
      services.push(service.name);
    },
    services,
    listen: (where) => server.listen(where),
    updateTls: (tls) => server.updateTls(tls),
    async drain(graceMs) {
      draining = true;
      server.goAway();
      if (active > 0) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(graceMs, wake);
          function wake(): void {
            cancel();
            idle.delete(wake);
            resolve();
          }
          idle.add(wake);
        });
      }
      await server.close(Math.min(graceMs, FLUSH_MS));
    },
    close() {
      draining = true;
      return server.close(0);
    },
    get activeCalls() {
      return active;
    },
  };
}

/** What listens to errors must not become one: it is called where nobody could catch it. */
function guarded(onError: ServerOptions["onError"]): (error: unknown, context: CallContext | undefined) => void {
  return (error, context) => {
    try {
      onError?.(error, context);
    } catch {
      // There is nobody left to tell.
    }
  };
}
