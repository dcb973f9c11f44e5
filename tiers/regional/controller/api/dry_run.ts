import { type CallContext, type Handlers, RpcError, type Service, Status } from "../../../../shared/rpc/mod.ts";
import { kinds, type MethodDefinition, RequestOption, Result } from "../../../../shared/schema/mod.ts";
import type { SecretStore } from "../../../../shared/secrets/mod.ts";
import type { Store } from "../../../../shared/store/mod.ts";
import { noAlerts } from "../alerts/alerts.ts";
import type { ApiContext } from "../context.ts";
import type { AnyKind } from "../faults.ts";
import { DryOperations } from "../operations/dry_operations.ts";
import { type DryStore, dryStore } from "../state/dry_store.ts";
import { createRegion } from "../state/region.ts";

type AnyHandler = (input: unknown, call: CallContext) => unknown;

/**
 * Gives the calls of a service that change something a dry run, for callers who ask for one by `RequestOption.dryRun`: all
 * of the call's own code runs, with all its checks, on a store whose changes are forgotten, up to where a site would have
 * to work. Calls that only read are as they are; others than region calls refuse a dry run.
 */
export function withDryRun<S extends Service>(
  service: S,
  apiOf: (context: ApiContext) => Handlers<S>,
  context: ApiContext,
  store: Store,
): Handlers<S> {
  const real = apiOf(context) as Record<string, AnyHandler>;
  const handlers: Record<string, AnyHandler> = {};
  for (const [name, handler] of Object.entries(real)) {
    const method = service.methods[name] as unknown as MethodDefinition;
    handlers[name] = (input, call) => {
      if (call.metadata.get(RequestOption.dryRun) !== "true" || method.api?.action === "VIEW") {
        return handler(input, call);
      }
      if (method.api === undefined || (method.output as unknown) !== Result || method.requestStream) {
        throw new RpcError(Status.UNIMPLEMENTED, `${method.name} has no dry run`);
      }
      const dry = dryStore(store);
      const dryHandler = (apiOf(dryContext(context, dry)) as Record<string, AnyHandler>)[name]!;
      return method.responseStream ? stream(dryHandler, input, call, dry) : single(dryHandler, input, call, dry);
    };
  }
  return handlers as Handlers<S>;
}

/** Every part is listed, so that nobody adds one that acts on the world without a thought for dry runs. */
function dryContext(context: ApiContext, dry: DryStore): ApiContext {
  const {
    region,
    zone,
    platformOrg,
    timeouts,
    secrets,
    access,
    autoProvisioner,
    driverFiles,
    engines,
    apps,
    clock,
    log,
  } = context;
  const dryRegion = createRegion(region.name, dry.store, region.cache, () => clock.now(), false);
  return {
    region: dryRegion,
    operations: new DryOperations(),
    zone,
    platformOrg,
    timeouts,
    secrets: secrets && drySecrets(secrets),
    access,
    autoProvisioner,
    driverFiles: driverFiles && { ...driverFiles, put: () => Promise.resolve(), remove: () => Promise.resolve() },
    engines: {
      requestLatency: () => Promise.resolve({ clients: 0, engines: 0, silent: [] }),
      explain: (query) => engines.explain(query),
    },
    // Nothing is changed outside, only looked at.
    apps,
    clock,
    log,
    alerts: noAlerts,
  };
}

/** Secrets that can be read, and whose changes are forgotten. */
function drySecrets(secrets: SecretStore): SecretStore {
  return {
    get: (path, options) => secrets.get(path, options),
    versions: (path) => secrets.versions(path),
    watch: (path, options) => secrets.watch(path, options),
    put: () => Promise.resolve(0),
    delete: () => Promise.resolve(false),
    close() {},
  };
}

async function single(handler: AnyHandler, input: unknown, call: CallContext, dry: DryStore): Promise<Result> {
  const { message } = await handler(input, call) as Result;
  return Result.create({ message: `Dry run: ${message || "done"}; ${told(dry)}` });
}

async function* stream(
  handler: AnyHandler,
  input: unknown,
  call: CallContext,
  dry: DryStore,
): AsyncGenerator<Result> {
  for await (const { message } of handler(input, call) as AsyncIterable<Result>) {
    yield Result.create({ message: `Dry run: ${message}` });
  }
  yield Result.create({ message: `Dry run: ${told(dry)}` });
}

/** Objects named in a dry run's summary. */
const TOLD_OBJECTS = 10;

/** What would have been written, by object; bookkeeping, which has no commands, is not told. */
function told(dry: DryStore): string {
  const changes: string[] = [];
  for (const { key, before, value } of dry.changes()) {
    const kind = (kinds as readonly AnyKind[]).find(({ storePrefix }) => key.startsWith(storePrefix));
    if (kind === undefined || kind.cli === "" || (before === undefined && value === undefined)) continue;
    const action = before === undefined ? "create" : value === undefined ? "delete" : "change";
    changes.push(`${action} ${kind.kind} ${key.slice(kind.storePrefix.length)}`);
  }
  if (changes.length === 0) return "nothing to change";
  const more = changes.length > TOLD_OBJECTS ? ` and ${changes.length - TOLD_OBJECTS} more` : "";
  return `would ${changes.slice(0, TOLD_OBJECTS).join(", ")}${more}; nothing was changed`;
}
