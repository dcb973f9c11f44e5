/** The calls of the client API, independent of what carries them. */
export { type Call, type CallObserver, type Calls, createCalls, type StreamCall } from "./calls.ts";
export {
  type Caller,
  type Desk,
  type RegionApp,
  type RegionAppInst,
  type RegionInstance,
  regionMatcher,
  type RegionTables,
} from "./desk.ts";
export { denied, invalid, unauthenticated } from "./errors.ts";
export { explainMatch } from "./explain.ts";
export { type Forms, PreparedInstances } from "./prepared.ts";
export { findFor, foundReply, searchFor } from "./find_cloudlet.ts";
export { addGrpcCalls, type StreamEdgeEvent } from "./grpc.ts";
export { requireLocation } from "./location_check.ts";
export { isPlatformApp } from "./platform_app.ts";
export { admit } from "./rate_limit.ts";
export { authenticate } from "./session.ts";
export { type CallNote, noRecords, type Records } from "./records.ts";
export { inTrace, TRACEPARENT } from "./trace.ts";
