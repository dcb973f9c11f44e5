import type { CallContext, Codec, Handler, Handlers, RpcServer, Service } from "../../../../shared/rpc/mod.ts";
import { dme } from "../../../../shared/schema/mod.ts";
import type { Call, Calls, StreamCall } from "./calls.ts";
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

/** Serves StreamEdgeEvent. */
export type StreamEdgeEvent = Handler<typeof dme.MatchEngineApi.methods.streamEdgeEvent>;

/** Offers the calls on a gRPC server under the paths of both generations. */
export function addGrpcCalls(server: RpcServer, calls: Calls, streamEdgeEvent: StreamEdgeEvent): void {
  const byName = new Map(Object.entries(calls)) as unknown as ReadonlyMap<string, Call | StreamCall>;
  for (const service of SERVICES) {
    const handlers: Record<string, unknown> = {};
    const codecs: Record<string, { output: Codec<never> }> = {};
    for (const [name, method] of Object.entries(service.methods)) {
      const call = byName.get(name);
      if (call !== undefined) {
        handlers[name] = method.responseStream ? streaming(call as StreamCall) : unary(call as Call);
        if (call.forms !== undefined) codecs[name] = { output: { ...method.output, encode: call.forms.encode } };
      } else if (name === "streamEdgeEvent") handlers[name] = streamEdgeEvent;
    }
    // One set of calls serves several services, so their types cannot be told apart here.
    server.addService(service as Service, handlers as Handlers<Service>, { codecs });
  }
}

function unary(call: Call) {
  return (request: unknown, context: CallContext) => {
    const traceparent = context.header(TRACEPARENT);
    if (!traceparent) return call.run(request, context.peer);
    return inTrace(traceparent, call.name, () => call.run(request, context.peer));
  };
}

function streaming(call: StreamCall) {
  return (request: unknown, context: CallContext) => call.run(request, context.peer);
}
