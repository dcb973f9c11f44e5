/** Which instance of an app is the nearest usable one for a device (DME specification, section 4). */
export { distanceKm, isValidPoint, type Point } from "./geo.ts";
export {
  appId,
  CLOUDLET_NOT_PRESENT,
  CLOUDLET_READY,
  cloudletId,
  type CloudletKeyShape,
  clusterKeyText,
  HEALTH_OK,
  HEALTH_UNKNOWN,
  INSTANCE_READY,
  instanceId,
  type InstanceKeyShape,
  NORMAL_OPERATION,
  UNDER_MAINTENANCE,
} from "./objects.ts";
export { type AppEntry, type CloudletEntry, type InstanceEntry, Tables } from "./tables.ts";
export {
  createMatcher,
  type Matcher,
  MAX_LIST_LENGTH,
  PUBLIC_CLOUD_PAD_KM,
  PUBLIC_CLOUDS,
  type Query,
} from "./matcher.ts";
export { type Ranked, TIE_BAND_KM } from "./rank.ts";
export type { TableWatcher } from "./watcher.ts";
