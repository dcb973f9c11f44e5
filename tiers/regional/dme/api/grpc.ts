import type { CallContext, Handlers, RpcServer, Service } from "../../../../shared/rpc/mod.ts";
import { dme } from "../../../../shared/schema/mod.ts";
import type { Call, Calls } from "./calls.ts";
import { inTrace, TRACEPARENT } from "./trace.ts";

/** The service of the released clients, and those into which the later line split it (DME specification 1.1, 1.5). */
const SERVICES = [
  dme.MatchEngineApi,
  dme.Session,
  dme.Location,
  dme.QualityOfService,
  dme.QosPositionKpi,
  dme.PlatformOS,
  dme.DynamicLocGroupApi,
] as const;

/** Offers the calls on a gRPC server under the paths of both generations; what is not served answers UNIMPLEMENTED. */
export function addGrpcCalls(server: RpcServer, calls: Calls): void {
  const byName = new Map(Object.entries(calls)) as unknown as ReadonlyMap<string, Call>;
  for (const service of SERVICES) {
    const handlers: Record<string, unknown> = {};
    for (const name of Object.keys(service.methods)) {
      const call = byName.get(name);
      if (call === undefined) continue;
      handlers[name] = (request: unknown, context: CallContext) =>
        inTrace(
          context.metadata.get(TRACEPARENT),
          call.name,
          () => call.run(request, { address: context.peer.address }),
        );
    }
    // One set of calls serves several services, so their types cannot be told apart here.
    server.addService(service as Service, handlers as Handlers<Service>);
  }
}
