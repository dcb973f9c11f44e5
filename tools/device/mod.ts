/** A simulated device, for tools and tests; `main.ts` is its command line. */
export { askBackend, type BackendAddress, type BackendAnswer, BackendError, type Connector } from "./backend.ts";
export {
  backendAddress,
  createDevice,
  type Device,
  type DeviceApp,
  type DeviceOptions,
  type DeviceStep,
  type FoundInstance,
} from "./device.ts";
export { connectHost } from "./host.ts";
export { grpcMatchClient, type MatchClient, restMatchClient } from "./match_client.ts";
export { parsePlace, parseRoute, type Place, PlaceError } from "./places.ts";
export { systemConnector, systemFetcher } from "./system.ts";
