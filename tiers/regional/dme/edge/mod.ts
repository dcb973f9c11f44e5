/** Event streams of devices: what they tell, and what they are told (DME specification 5). */
export { locationTile } from "./location_tile.ts";
export { type EdgeDevice, type EdgeStats, noEdgeStats } from "./stats.ts";
export { summarize, type Summary } from "./statistics.ts";
