/** The calls of the client API, independent of what carries them. */
export { type Call, type CallObserver, type Calls, createCalls } from "./calls.ts";
export {
  type Caller,
  type Desk,
  type RegionApp,
  type RegionAppInst,
  type RegionInstance,
  regionMatcher,
  type RegionTables,
} from "./desk.ts";
export { addGrpcCalls } from "./grpc.ts";
export { inTrace, TRACEPARENT } from "./trace.ts";
