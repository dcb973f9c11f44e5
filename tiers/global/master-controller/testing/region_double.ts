import {
  type CallContext,
  createServer,
  RpcError,
  type RpcServer,
  type ServerTls,
  type Service,
  Status,
} from "../../../../shared/rpc/mod.ts";
import {
  applyMask,
  continueKey,
  findKind,
  matches,
  type MethodDefinition,
  type ObjectKind,
  type Organization,
  regionServices,
  RequestOption,
  Result,
} from "../../../../shared/schema/mod.ts";

/** One call that the double got. */
export interface SeenCall {
  readonly method: string;
  readonly user: unknown;
  readonly traceparent: unknown;
  readonly dryRun?: unknown;
  readonly request: object;
}

/**
 * A test peer in the place of a region's controller: it speaks the real services and keeps whatever objects it is given
 * in memory, without any of a controller's rules.
 */
export class RegionDouble {
  readonly calls: SeenCall[] = [];
  /** Makes the next calls of a method fail, after so many items of a stream. */
  readonly failures = new Map<string, { after: number; error: RpcError }>();
  /** Streams of these methods stay open after their last item, until the caller ends them. */
  readonly holding = new Set<string>();
  /** Methods of held streams that their caller has ended. */
  readonly ended: string[] = [];
  /** What these methods answer, where that does not follow from the objects. */
  readonly answers = new Map<string, (request: object) => Iterable<object>>();
  readonly #objects = new Map<string, Map<string, object>>();
  readonly #server: RpcServer;
  #address = "";

  /** Without TLS for tests inside one process. */
  constructor(tls?: ServerTls) {
    this.#server = createServer({ tls });
  }

  /** `host:port` of the double. */
  get address(): string {
    return this.#address;
  }

  async start(): Promise<this> {
    for (const service of regionServices) {
      const handlers: Record<string, unknown> = {};
      for (const [name, method] of Object.entries(service.methods)) handlers[name] = this.#handler(method);
      this.#server.addService(service as unknown as Service, handlers as never);
    }
    const { hostname, port } = await this.#server.listen({ hostname: "127.0.0.1", port: 0 });
    this.#address = `${hostname}:${port}`;
    return this;
  }

  async stop(): Promise<void> {
    await this.#server.close();
  }

  /** Puts an object there without a call. */
  put<T extends object>(kindName: string, object: T): void {
    const kind = findKind(kindName)!;
    this.#of(kind).set(kind.keyString(kind.key(object)), object);
  }

  /** Takes an object away without a call. */
  drop(kindName: string, object: object): void {
    const kind = findKind(kindName)!;
    this.#of(kind).delete(kind.keyString(kind.key(object)));
  }

  /** Objects of a kind. */
  list(kindName: string): object[] {
    return [...this.#of(findKind(kindName)!).values()];
  }

  #of(kind: ObjectKind): Map<string, object> {
    const objects = this.#objects.get(kind.kind) ?? new Map<string, object>();
    this.#objects.set(kind.kind, objects);
    return objects;
  }

  /** Whether it has objects that the organization owns. */
  #isUsed(organization: string): Result {
    const using = [...this.#objects].filter(([name, objects]) =>
      [...objects.values()].some((object) => findKind(name)!.owner(object) === organization)
    );
    if (using.length === 0) return Result.create();
    return Result.create({ code: 1, message: `in use by some ${using.map(([name]) => name).sort().join(", ")}` });
  }

  #handler(method: MethodDefinition): unknown {
    const serve = (request: object, context: Pick<CallContext, "metadata" | "signal">): AsyncIterable<object> => {
      const { metadata } = context;
      this.calls.push({
        method: method.name,
        user: metadata.get("x-archipelago-user"),
        traceparent: metadata.get("traceparent"),
        dryRun: metadata.get(RequestOption.dryRun),
        request,
      });
      const after = continueKey(metadata.get(RequestOption.continueAt) ?? "") ?? "";
      return this.#failing(method.name, this.#replies(method, request, after), context.signal);
    };
    if (method.responseStream) return serve;
    return async (request: object, context: never) => {
      for await (const reply of serve(request, context)) return reply;
    };
  }

  async *#failing(name: string, replies: Iterable<object>, signal: AbortSignal): AsyncIterable<object> {
    let sent = 0;
    const failure = this.failures.get(name);
    for (const reply of replies) {
      if (failure !== undefined && sent === failure.after) throw failure.error;
      yield reply;
      sent++;
    }
    if (failure !== undefined) throw failure.error;
    if (!this.holding.has(name)) return;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    this.ended.push(name);
  }

  *#replies(method: MethodDefinition, request: object, after: string): Iterable<object> {
    const answer = this.answers.get(method.name);
    if (answer !== undefined) return yield* answer(request);
    if (method.name === "OrganizationInUse") return yield this.#isUsed((request as Organization).name);
    const kind = findKind(method.input.descriptor.typeName);
    if (kind === undefined) throw new RpcError(Status.UNIMPLEMENTED, "not part of the double");
    const objects = this.#of(kind);
    const key = kind.keyString(kind.key(request));
    const [, verb] = /^(Show|Create|Update|Delete)/.exec(method.name) ?? [];
    switch (verb) {
      case "Show":
        for (const [keyString, object] of [...objects].sort(([a], [b]) => a < b ? -1 : 1)) {
          if (keyString > after && matches(kind.message, request, object)) yield object;
        }
        return;
      case "Create":
        if (objects.has(key)) throw new RpcError(Status.ALREADY_EXISTS, `${kind.kind} key ${key} already exists`);
        objects.set(key, request);
        break;
      case "Update": {
        const object = objects.get(key);
        if (object === undefined) throw new RpcError(Status.NOT_FOUND, `${kind.kind} key ${key} not found`);
        applyMask(kind.message, object, request, (request as { fields: string[] }).fields);
        break;
      }
      case "Delete":
        if (!objects.delete(key)) throw new RpcError(Status.NOT_FOUND, `${kind.kind} key ${key} not found`);
        break;
      default:
        throw new RpcError(Status.UNIMPLEMENTED, "not part of the double");
    }
    if (method.responseStream) yield Result.create({ message: `${verb} under way` });
    yield Result.create({ message: `${verb} done` });
  }
}
