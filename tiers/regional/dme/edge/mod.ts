/** Event streams of devices: what they tell, and what they are told (DME specification 5). */
export {
  createEdgeDesk,
  DEFAULT_EDGE_LIMITS,
  type EdgeDesk,
  type EdgeDeskOptions,
  type EdgeLimits,
  type EdgeObserver,
} from "./desk.ts";
export { EdgeConnection, type EdgeOutlet } from "./connection.ts";
export { edgeEventHandler } from "./grpc.ts";
export { open } from "./open.ts";
export { Outbox } from "./outbox.ts";
export { locationTile } from "./location_tile.ts";
export { type EdgeDevice, type EdgeStats, noEdgeStats } from "./stats.ts";
export { summarize, type Summary } from "./statistics.ts";
