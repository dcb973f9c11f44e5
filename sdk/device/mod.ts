/**
 * The device side of the platform, for browsers, Node and Deno alike: find the nearest back-end of an app, connect to it,
 * and follow what happens to it. Uses nothing but web standards.
 *
 * ```ts ignore
 * const device = createDevice({ url: "https://wifi.dme.example:38001", app: { organization, name, version } });
 * const instance = await device.findCloudlet({ latitude: 48.1, longitude: 11.5 });
 * if (instance) fetch(urlOf(endpointOf(instance)!));
 * ```
 *
 * @module
 */
export { type SdkClock, type SdkTimer, webClock } from "./clock.ts";
export { type Endpoint, endpointOf, urlOf, type WantedPort } from "./connect.ts";
export { createDevice, type Device, type DeviceOptions } from "./device.ts";
export { type EdgeEvent, type EdgeEventOf, type RegionStatistics, type Trigger, TRIGGERS } from "./edge/events.ts";
export type { StreamForm } from "./edge/link.ts";
export type { DeviceFacts, NetworkFacts } from "./edge/messages.ts";
export type { EdgeOptions } from "./edge/options.ts";
export type { EdgeEvents } from "./edge/session.ts";
export type { SocketLike, SocketMaker } from "./edge/web_socket.ts";
export { MatchError, type StatusName } from "./errors.ts";
export { carrierOf, matchingEngineUrl, type Network } from "./hosts.ts";
export type { AppKey, Instance, Port, Site } from "./instance.ts";
export type { NetworkLocation, VerifiedLocation } from "./location.ts";
export type { FoundInstance, ListOptions, SearchMode, SearchOptions } from "./matching.ts";
export { type GeolocationReading, type Place, placeOf } from "./place.ts";
export {
  compareLatency,
  connectProbe,
  fetchProbe,
  type LatencyStatistics,
  type Probe,
  type ProbeOptions,
  statisticsOf,
} from "./probe.ts";
export type { ForecastOptions, PriorityRequest, PrioritySession, QosForecast, Spread } from "./qos.ts";
export type { Fetch } from "./rest.ts";
export type { DeviceIdentity, Registration } from "./session.ts";
export type {
  CloudletState,
  HealthCheck,
  LocationAnswer,
  LocationCheck,
  MaintenanceState,
  Protocol,
  QosDeletion,
  QosProfile,
  QosProtocol,
  QosResult,
} from "./texts.ts";
