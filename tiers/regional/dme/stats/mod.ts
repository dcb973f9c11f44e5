/** What a matching engine counts and records, and how it tells the controller (DME specification 6.3, 6.4). */
export { ApiStats, type DmeName } from "./api_stats.ts";
export { CLIENT_MESSAGE, ClientLog, type ClientLogOptions } from "./client_log.ts";
export { Demand, DEMAND_MESSAGE } from "./demand.ts";
export { DEVICE_MESSAGE, DeviceLog } from "./device_log.ts";
export { EdgeCollector } from "./edge_collector.ts";
export { type DmeSettings, dmeSettings } from "./settings.ts";
export { type Upload, uploadPoints } from "./uploader.ts";
